import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { missing, pythonRoom, scalenes } from './room.ts';

vi.setConfig({ testTimeout: 120_000 });

const programs = readdirSync(new URL('programs/leaks', import.meta.url));

/** The line that keeps what a leaking program allocates, or that allocates it. */
const leaking: Readonly<Record<string, RegExp>> = {
  'leak-list.py': /kept\.append/,
  'leak-dict.py': /seen\[number\] =/,
  'leak-objects.py': /self\.data =/,
  'leak-closure.py': /payload =/,
  'leak-thread.py': /queue\.append/,
};

describe.skipIf(missing)(`a second run under tracemalloc ${missing}`, () => {
  const { call, profile, remove } = pythonRoom(scalenes.at(-1)?.python ?? '');
  afterAll(remove);

  test.each(programs)('judges %s', async (program) => {
    // Of the first run only the program is needed: alone under Scalene it lasts 0.6 s.
    const { data } = await profile(`leaks/${program}`, { memory: false });
    const { profile_id } = data;
    const { data: verified } = await call('get_memory_leaks', { profile_id, verify: true });
    const leaks = verified['leaks'] as Readonly<{ verdict: string; line: string }>[];
    const growing = leaks.filter((leak) => leak.verdict === 'growing');
    const line = leaking[program];
    if (line) expect(growing[0]?.line).toMatch(line);
    else expect(growing).toEqual([]);
  });
});

describe.skipIf(missing).each(scalenes)(`hints of Scalene $version ${missing}`, ({ python }) => {
  const { call, profile, remove } = pythonRoom(python);
  afterAll(remove);

  test('are told as hints, and what grows without end is told by the second run', async () => {
    const { data } = await profile('leaks/leak-list.py');
    const { profile_id } = data;
    const hints = await call('get_memory_leaks', { profile_id });
    expect(hints.warnings.join()).toMatch(/verify=true/);
    for (const hint of hints.data['leaks'] as Readonly<{ verdict: string }>[]) {
      expect(hint.verdict).toBe('hint of Scalene');
    }
    const { data: verified } = await call('get_memory_leaks', { profile_id, verify: true });
    expect(verified['leaks']).toContainEqual(
      expect.objectContaining({ line: 'kept.append(bytearray(100_000))', verdict: 'growing' }),
    );
  });
});
