import { expect, test } from 'vitest';
import { addDistributions } from '../../parsers/distribution.ts';
import { histogramRows, latencySummary } from '../../src/analysis/latency.ts';

const waits = {
  buckets: [
    { min: 0, max: 0, count: 10 },
    { min: 2, max: 3, count: 80 },
    { min: 64, max: 127, count: 10 },
  ],
  count: 100,
  total_ns: 1_000_000,
  max_ns: 80_000,
};

test('rows carry their bounds in microseconds, whatever the unit of the ranges', () => {
  expect(histogramRows(waits, 'us')).toMatchObject([
    { range_start_us: 0, range_end_us: 0, count: 10 },
    { range_start_us: 2, range_end_us: 3, count: 80, bar: '*'.repeat(40) },
    { range_start_us: 64, range_end_us: 127, count: 10, bar: '*'.repeat(5) },
  ]);
  expect(histogramRows(waits, 'ms')[1]).toMatchObject({
    range_start_us: 2000,
    range_end_us: 3999,
  });
});

test('average and maximum are exact; percentiles lie in the range that is given', () => {
  const summary = latencySummary(waits, 'us');
  expect(summary).toMatchObject({ avg_latency_us: 10, max_latency_us: 80 });
  expect(summary.ranges_us).toEqual({ p50: [2, 4], p90: [2, 4], p95: [64, 128], p99: [64, 128] });
  for (const name of ['p50', 'p90', 'p95', 'p99'] as const) {
    const [from, to] = summary.ranges_us?.[name] ?? [0, 0];
    expect(summary[`${name}_us`]).toBeGreaterThanOrEqual(from);
    expect(summary[`${name}_us`]).toBeLessThanOrEqual(Math.min(to, 80));
  }
});

test('what a tracer did not keep is null, not 0', () => {
  const bare = { ...waits, total_ns: null, max_ns: null };
  expect(latencySummary(bare, 'us')).toMatchObject({ avg_latency_us: null, max_latency_us: null });
  const none = { buckets: [], count: 0, total_ns: 0, max_ns: 0 };
  expect(latencySummary(none, 'us')).toEqual({
    avg_latency_us: null,
    p50_us: null,
    p90_us: null,
    p95_us: null,
    p99_us: null,
    max_latency_us: null,
    ranges_us: null,
  });
});

test('distributions add up range by range; an unknown sum stays unknown', () => {
  const more = { buckets: [{ min: 2, max: 3, count: 5 }], count: 5, total_ns: null, max_ns: 9 };
  const sum = addDistributions(waits, more);
  expect(sum).toMatchObject({ count: 105, total_ns: null, max_ns: 80_000 });
  expect(sum.buckets.map(({ count }) => count)).toEqual([10, 85, 10]);
});
