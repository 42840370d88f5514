import { expect, test } from 'vitest';
import { Refused } from '../../allowlist/command.ts';
import { perfStat } from '../../allowlist/perf-stat.ts';

test('counts switches and migrations of every CPU for the time asked', () => {
  const { args, limits } = perfStat.perCpu(2000);
  expect(args.slice(-2)).toEqual(['--timeout', '2000']);
  expect(limits.duration_ms).toBeGreaterThan(2000);
});

test.each([0, 99, 11_001, 500.5, -500, Number.NaN, Number.POSITIVE_INFINITY])(
  'refuses a window of %s ms',
  (window_ms) => {
    expect(() => perfStat.perCpu(window_ms)).toThrow(Refused);
  },
);
