import { describe, expect, test } from 'vitest';
import { fdGrowth } from '../../src/analysis/fd-growth.ts';

/** Counts a second apart. */
const judge = (...totals: number[]) => fdGrowth(totals.map((total, at_s) => ({ at_s, total })));

describe('a leak', () => {
  test('is steady growth, with its rate', () => {
    const growth = judge(100, 120, 140, 160, 180, 200);
    expect(growth).toMatchObject({
      is_likely_leak: true,
      fd_change: 100,
      fd_growth_rate: 20,
      rises: 5,
      falls: 0,
    });
    expect(growth.interpretation).toMatch(/^Rapid/);
  });

  test('is moderate between the documented bounds', () => {
    expect(judge(100, 104, 108, 112, 116)).toMatchObject({
      is_likely_leak: true,
      interpretation: expect.stringMatching(/^Moderate/),
    });
  });

  test('may be slow: one descriptor every few seconds, none given back', () => {
    const totals = Array.from({ length: 31 }, (_, at) => 50 + Math.floor(at / 5));
    expect(judge(...totals)).toMatchObject({
      is_likely_leak: true,
      fd_change: 6,
      interpretation: expect.stringMatching(/^Slow/),
    });
  });

  test('may give a little back', () => {
    expect(judge(10, 30, 28, 50, 70, 95).is_likely_leak).toBe(true);
  });
});

describe('no leak', () => {
  test('is a burst that opens many in one step', () => {
    const growth = judge(100, 100, 100, 180, 180, 180, 180, 180);
    expect(growth).toMatchObject({ is_likely_leak: false, fd_change: 80 });
    expect(growth.interpretation).toContain('burst');
  });

  test('is work that closes what it opened, whatever the two ends say', () => {
    expect(judge(10, 90, 20, 95, 15, 75)).toMatchObject({ is_likely_leak: false, fd_change: 65 });
  });

  test('is a count that does not change', () => {
    expect(judge(10, 10, 10)).toMatchObject({ is_likely_leak: false, fd_growth_rate: 0 });
  });

  test('is a shrinking count, the process cleaning up', () => {
    expect(judge(50, 40, 30)).toMatchObject({ is_likely_leak: false, fd_growth_rate: -10 });
  });

  test('is slight growth, which a longer watch has to judge', () => {
    const growth = judge(10, 11, 11, 12);
    expect(growth.is_likely_leak).toBe(false);
    expect(growth.interpretation).toContain('longer');
  });
});

test('two counts are too few to tell', () => {
  expect(judge(10, 500)).toMatchObject({ is_likely_leak: null, fd_change: 490 });
  expect(judge(10)).toMatchObject({ is_likely_leak: null, fd_growth_rate: null });
});
