import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExecEvents } from '../../parsers/exec-events/exec-events.ts';

const recorded = 'fixtures/exec-events/hostile-names.k6.18.44.bpftrace-0.17.0/input.txt';
const printed = (...lines: readonly string[]): string =>
  lines.map((data) => `{"type": "printf", "data": ${JSON.stringify(data)}}`).join('\n');

const name = 'N|100|12|/bin/a';
const failed = 'R|110|12|12|100|1|0|-2|sh';
const other = 'N|120|12|/usr/bin/a';
const ran = 'X|130|12|12|120|1|0|a';
const args = 'A|130|12|2|a\\x00';
const exit = 'E|900|12|1|0|0|800|a';

/** File names and arguments of what was run or not, in the order of time. */
const told = (...lines: readonly string[]) =>
  parseExecEvents(printed(...lines)).events.map((event) => [
    event.kind,
    'filename' in event ? event.filename : undefined,
    'args' in event ? event.args : undefined,
  ]);

describe('lines of exec-events.bt', () => {
  test('say the same in any order', () => {
    const lines = readFileSync(recorded, 'utf8').split('\n');
    const expected = parseExecEvents(lines.join('\n'));
    const shuffled = fc.shuffledSubarray(lines, { minLength: lines.length });
    fc.assert(
      fc.property(shuffled, (others) => {
        expect(parseExecEvents(others.join('\n'))).toEqual(expected);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test('tell the file name of the attempt itself, not of one before', () => {
    const expected = [
      ['failed_exec', '/bin/a', undefined],
      ['exec', '/usr/bin/a', ['a']],
    ];
    expect(told(name, failed, other, ran, args)).toEqual(expected);
    expect(told(args, ran, name, failed, other)).toEqual(expected);
  });

  test('tell no file name and no arguments whose line is missing', () => {
    expect(told(name, failed, ran)).toEqual([
      ['failed_exec', '/bin/a', undefined],
      ['exec', null, null],
    ]);
  });

  test('tell no file name of a call that began before the window', () => {
    expect(told(name, 'X|130|12|12|0|1|0|a')).toEqual([['exec', null, null]]);
  });

  test('do not swap the arguments of two programs that one process runs soon after each other', () => {
    const second = ['X|140|12|12|135|1|0|b', 'A|140|12|2|b\\x00'];
    expect(told(...second, ran, args).map(([, , words]) => words)).toEqual([['a'], ['b']]);
    expect(told(second[0] ?? '', ran, args).map(([, , words]) => words)).toEqual([['a'], null]);
  });

  test('tell one end of a process whose last two threads end at once', () => {
    const again = 'E|905|12|1|0|256|805|a';
    const events = parseExecEvents(printed(again, exit)).events;
    expect(events).toMatchObject([{ kind: 'exit', at_ns: 905, code: 1 }]);
  });

  test('tell both ends of two processes that had the same id', () => {
    const later = 'E|9000900|12|1|0|0|800|a';
    expect(parseExecEvents(printed(exit, later)).events).toHaveLength(2);
  });
});
