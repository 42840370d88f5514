import { describe, expect, test } from 'vitest';
import { captureText, readCaptureText } from '../../src/profiles/capture-file.ts';
import { perfScriptReader } from '../../src/profiles/perf-script-reader.ts';
import { profileTrace } from '../../src/profiles/profile-trace.ts';
import { renumberedTimes, sampleTimes } from '../../src/profiles/sample-times.ts';
import type { StackProfile } from '../../src/profiles/stack-profile.ts';
import { at, texts } from '../recordings/decoded.ts';

const text = `a b  10/11  [001]    5.000000100: cpu-clock:
\t    1 work (/usr/bin/prog)
\t    2 main (/usr/bin/prog)

a b  10/10  [000]    5.000000200: cpu-clock:
\t    1 work (/usr/bin/prog)
\t    2 main (/usr/bin/prog)

other  12/12  [000]    6.000000300: cpu-clock:
\t    1 work (/usr/bin/prog)
\t    2 main (/usr/bin/prog)

`;

function imported(source: string): StackProfile {
  const reader = perfScriptReader();
  reader.push(new TextEncoder().encode(source));
  const [profile] = reader.end();
  if (profile === undefined) throw new Error('no profile');
  return profile;
}

/** ts, cpu, pid, tid, call stack of each sample. */
const samplesIn = (trace: Uint8Array) =>
  at(trace, 1).flatMap((packet) => {
    if (typeof packet === 'number' || at(packet, 66).length === 0) return [];
    return [[at(packet, 8)[0], ...[1, 2, 3, 4].map((field) => at(packet, 66, field)[0])]];
  });

describe('a profile whose samples have times', () => {
  const profile = imported(text);

  test('is a trace with each of them at its time, on its thread', () => {
    const trace = profileTrace(
      profile,
      profile.times ?? { stacks: [], tids: [], cpus: [], ns: [] },
    );
    expect(samplesIn(trace)).toEqual([
      [5_000_000_100, 1, 10, 11, 1],
      [5_000_000_200, 0, 10, 10, 1],
      [6_000_000_300, 0, 12, 12, 1],
    ]);
    expect(texts(trace, 1, 2, 1, 3)).toEqual(['a b', 'other']);
    expect(texts(trace, 1, 12, 5, 2)).toEqual(['', 'main', 'work']);
  });

  test('keeps them when it is kept', () => {
    const again = readCaptureText(captureText(profile));
    expect(again?.times).toEqual(profile.times);
    expect(again?.times?.ns).toEqual([5_000_000_100, 5_000_000_200, 6_000_000_300]);
  });
});

test('text without times gives a profile without', () => {
  const bare = 'prog 744 20408163 cpu-clock:\n\t 1 work (/usr/bin/prog)\n\n';
  expect(imported(bare)).toMatchObject({ samples: 1, times: null });
});

test('times are given up beyond a limit', () => {
  const times = sampleTimes(2);
  times.add(0, 1, 0, 1);
  times.add(0, 1, 0, 2);
  expect(times.finish()?.ns).toEqual([1e9, 2e9]);
  times.add(0, 1, 0, 3);
  expect(times.finish()).toBeNull();
});

test('times of stacks that are left out go with them', () => {
  const times = { stacks: [0, 1, 2, 1], tids: [5, 6, 7, 6], cpus: [0, 0, 0, 1], ns: [1, 2, 3, 4] };
  const kept = renumberedTimes(times, (stack) => stack - 1);
  expect(kept).toEqual({ stacks: [0, 1, 0], tids: [6, 7, 6], cpus: [0, 0, 1], ns: [2, 3, 4] });
});
