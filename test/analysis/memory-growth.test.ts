import { describe, expect, test } from 'vitest';
import { memoryGrowth } from '../../src/analysis/memory-growth.ts';

const verdictOf = (megabytes: readonly number[]): string | undefined =>
  memoryGrowth({
    interval_s: 0.2,
    elapsed_s: megabytes.length * 0.2,
    exit: 'completed',
    lines: [{ file: 'a.py', line: 1, bytes: megabytes.map((each) => each * 1e6) }],
  })[0]?.verdict;

describe('memory that a line holds', () => {
  test.each([
    ['grows to the end', [1, 2, 3, 4, 5, 6, 7, 8], 'growing'],
    ['grew and stayed', [1, 5, 9, 10, 10, 10, 10, 10], 'steady'],
    ['comes and goes', [5, 1, 6, 1, 5, 1, 6, 4], 'steady'],
    ['was given back', [1, 8, 9, 9, 2, 1, 1, 1], 'released'],
    ['was seen too seldom', [1, 2, 3], 'too few snapshots'],
  ])('%s', (_what, megabytes, verdict) => {
    expect(verdictOf(megabytes)).toBe(verdict);
  });

  test('is not told where it is below a megabyte', () => {
    expect(verdictOf([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])).toBeUndefined();
  });
});
