import { expect, test } from 'vitest';
import { percentile } from '../../src/analysis/histogram.ts';

const buckets = [
  { min: 1024, max: 2047, count: 50 },
  { min: 4096, max: 8191, count: 49 },
  { min: 65_536, max: 131_071, count: 1 },
];

test('a percentile lies in the bucket that holds it', () => {
  expect(percentile(buckets, 0.25, 70_000)).toBeGreaterThanOrEqual(1024);
  expect(percentile(buckets, 0.25, 70_000)).toBeLessThanOrEqual(2047);
  expect(percentile(buckets, 0.9, 70_000)).toBeGreaterThanOrEqual(4096);
  expect(percentile(buckets, 0.9, 70_000)).toBeLessThanOrEqual(8191);
});

test('no percentile is above the largest value', () => {
  expect(percentile(buckets, 1, 70_000)).toBe(70_000);
  expect(percentile([{ min: 4096, max: 8191, count: 3 }], 0.99, 4100)).toBeLessThanOrEqual(4100);
});

test('nothing counted has no percentile', () => {
  expect(percentile([], 0.5, 0)).toBeNull();
});
