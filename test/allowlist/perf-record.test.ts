import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Command, Refused } from '../../allowlist/command.ts';
import { openFile } from '../../allowlist/open-file.ts';
import { hardwareEvents, perfRecord, softwareEvents } from '../../allowlist/perf-record.ts';
import { importedPerfScript, perfScript } from '../../allowlist/perf-script.ts';

type Recording = Parameters<typeof perfRecord>[0];

const plain: Recording = {
  event: { kind: 'sw', name: 'cpu-clock' },
  user_only: false,
  rate: { freq_hz: 99 },
  target: { scope: 'all' },
  callgraph: 'fp',
  output: '/tmp/tracewright-0-1-x/profile.data',
  max_bytes: 256 * 1024 * 1024,
  duration_ms: 10_000,
  private_mounts: false,
};

const hostileText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    '-',
    '--script=/etc/passwd',
    '-o/tmp/x',
    'sched:sched_switch -o /tmp/x',
    '$(id)',
    'a\nb',
    'a\0b',
    'cycles/config=1/',
    '{a,b}',
    'x'.repeat(65),
    '../../etc/passwd',
    'cpu-clock,cycles',
    'é',
  ),
);
const hostileNumber = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0, -1, 1e21, 2 ** 53, 0.5),
);

/** Values of the wrong kind too: what a request says is checked again here, at the last door. */
const hostile: fc.Arbitrary<unknown> = fc.record({
  event: fc.oneof(
    fc.record({
      kind: fc.constantFrom('hw', 'sw', 'tracepoint', 'raw'),
      name: hostileText,
      subsystem: hostileText,
    }),
    fc.constantFrom(plain.event, { kind: 'tracepoint', subsystem: 'sched', name: 'sched_switch' }),
  ),
  user_only: fc.boolean(),
  rate: fc.oneof(
    fc.record({ freq_hz: hostileNumber }),
    fc.record({ period: hostileNumber }),
    fc.constant({ freq_hz: 99 }),
  ),
  target: fc.oneof(
    fc.record({
      scope: fc.constantFrom('all', 'cpu', 'pid', 'uid'),
      cpu: hostileNumber,
      pid: hostileNumber,
    }),
    fc.constant({ scope: 'all' }),
  ),
  callgraph: fc.constantFrom('fp', 'dwarf', 'fp,65528'),
  output: fc.oneof(hostileText, fc.constant(plain.output)),
  max_bytes: fc.oneof(hostileNumber, fc.constant(plain.max_bytes)),
  duration_ms: fc.oneof(hostileNumber, fc.constant(plain.duration_ms)),
  private_mounts: fc.boolean(),
  monotonic: fc.constantFrom(undefined, true, false, 'CLOCK_REALTIME'),
});

const grammar =
  /^record -q -D -1 --control fd:3,4 -e (?:[a-z-]+|[a-zA-Z][\w-]{0,63}:[a-zA-Z][\w-]{0,63})(?::u)? (?:-F \d{1,5}|-c \d{1,10})(?: -k CLOCK_MONOTONIC)? -g (?:-a|-C \d{1,5}|-p \d{1,7} --sample-cpu) -B -N --max-size \d+B -o \/[\w./@+-]{1,250}$/;

function commandOf(recording: unknown): Command | null {
  try {
    return perfRecord(recording as Recording);
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

describe('perf record', () => {
  test('is refused or stays within its grammar, whatever the values are', () => {
    let allowed = 0;
    fc.assert(
      fc.property(hostile, (recording) => {
        const command = commandOf(recording);
        if (command === null) return;
        allowed++;
        expect(command.args.join(' ')).toMatch(grammar);
        expect(command.args.every((arg) => !/[\s\0]/.test(arg))).toBe(true);
      }),
      { numRuns: 3000 },
    );
    expect(allowed).toBeGreaterThan(0);
  });

  test('takes hardware and software events by the names of its tables alone', () => {
    for (const kind of ['hw', 'sw'] as const) {
      const known: readonly string[] = kind === 'hw' ? hardwareEvents : softwareEvents;
      fc.assert(
        fc.property(fc.oneof(hostileText, fc.constantFrom(...known)), (name) => {
          const command = commandOf({ ...plain, event: { kind, name } });
          expect(command !== null).toBe(known.includes(name));
        }),
      );
    }
  });

  test.each([
    [{ freq_hz: 0 }, 'freq_hz'],
    [{ freq_hz: 10_001 }, 'freq_hz'],
    [{ period: 0 }, 'period'],
  ])('refuses the rate %j', (rate, what) => {
    expect(() => perfRecord({ ...plain, rate })).toThrow(what);
  });

  test('starts switched off and listens on two pipes', () => {
    const { args, controlPipes, stopSignal } = perfRecord(plain);
    expect(args.slice(2, 6)).toEqual(['-D', '-1', '--control', 'fd:3,4']);
    expect([controlPipes, stopSignal]).toEqual([2, 'SIGINT']);
  });
});

describe('perf script', () => {
  test('reads a file of ours and nothing else', () => {
    fc.assert(
      fc.property(hostileText, (path) => {
        try {
          const { args } = perfScript(path);
          expect(args.join(' ')).toMatch(/^script -i \/[\w./@+-]{1,250} --no-inline -F [a-z,]+$/);
        } catch (error) {
          expect(error).toBeInstanceOf(Refused);
        }
      }),
    );
  });

  test.each([
    '--script',
    '--dlfilter',
    '--objdump',
    '--addr2line',
    '--vmlinux',
    '--symfs',
    '--kallsyms',
    '-s',
    '-g',
  ])('cannot say %s', (option) => {
    expect(perfScript('/tmp/x/profile.data').args).not.toContain(option);
    expect(() => perfScript(`${option}=/etc/passwd`)).toThrow(Refused);
  });
});

describe('a file of a user', () => {
  const hostile = [
    '-i/etc/passwd',
    '--script=x',
    'relative.data',
    '/tmp/../etc/shadow',
    '/tmp/a\nb',
    '/tmp/a\u0000b',
    'https://example.org/x',
    '',
  ];

  test.each(hostile)('%j is no argument', (path) => {
    expect(() => importedPerfScript(path, null)).toThrow(Refused);
    expect(() => openFile(path)).toThrow(Refused);
  });

  test('keeps its name, whatever a shell would make of it', () => {
    const path = '/tmp/$(id) `x`; "perf".data';
    expect(importedPerfScript(path, null).args).toContain(path);
    expect(openFile(path).args).toEqual([path]);
  });

  test('is read as the user who is named', () => {
    const user = { uid: 1000, gid: 1000 };
    expect(importedPerfScript('/tmp/perf.data', user).sandbox?.user).toEqual(user);
    expect(importedPerfScript('/tmp/perf.data', null).sandbox).toBeNull();
  });
});
