import { describe, expect, test } from 'vitest';
import { noticeInterval } from '../src/stream-updates.ts';

const chances = [0, 0.25, 0.5, 0.75, 0.999];

describe('notices of one client', () => {
  test('come ten times a second where at most ten listen', () => {
    for (const listening of [1, 5, 10]) {
      for (const chance of chances) expect(noticeInterval(listening, chance)).toBe(100);
    }
  });

  test('of the 200 that listen come every two seconds in the mean, and never sooner than 0.1 s', () => {
    expect(noticeInterval(200, 0.5)).toBe(2000);
    expect(noticeInterval(200, 0)).toBe(100);
    expect(noticeInterval(200, 0.999)).toBeLessThan(3900);
  });

  test('come to a hundred a second of all of them together', () => {
    for (const listening of [10, 20, 40, 200]) {
      const steps = Array.from({ length: 1001 }, (_, at) => noticeInterval(listening, at / 1000));
      const mean_ms = steps.reduce((sum, ms) => sum + ms, 0) / steps.length;
      expect((listening * 1000) / mean_ms).toBeCloseTo(100);
    }
  });
});
