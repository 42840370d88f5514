import type { Bucket } from '../../parsers/bpftrace-json/bpftrace-json.ts';
import type { Distribution } from '../../parsers/distribution.ts';
import { percentile } from './histogram.ts';

/** What a bucket's numbers count: whole microseconds or whole milliseconds. */
export type LatencyUnit = 'us' | 'ms';

/** From one whole unit to another, both included. */
export type HistogramRow = Readonly<{
  range_start_us: number;
  range_end_us: number;
  count: number;
  bar: string;
}>;

/**
 * Percentiles are estimates within the range that is given beside them: a histogram knows ranges
 * only. Average and maximum are exact, and null where the tracer kept none.
 */
export type LatencySummary = Readonly<{
  avg_latency_us: number | null;
  p50_us: number | null;
  p90_us: number | null;
  p95_us: number | null;
  p99_us: number | null;
  max_latency_us: number | null;
  ranges_us: Readonly<Record<'p50' | 'p90' | 'p95' | 'p99', readonly [number, number]>> | null;
}>;

const bar_length = 40;
const shares = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 } as const;

export function histogramRows(waits: Distribution, unit: LatencyUnit): readonly HistogramRow[] {
  const most = Math.max(1, ...waits.buckets.map(({ count }) => count));
  return inMicroseconds(waits.buckets, unit).map(({ min, max, count }) => ({
    range_start_us: min,
    range_end_us: max,
    count,
    bar: '*'.repeat(Math.round((count / most) * bar_length)),
  }));
}

export function latencySummary(waits: Distribution, unit: LatencyUnit): LatencySummary {
  const { count, total_ns, max_ns } = waits;
  // A value of 2 is all from 2.0 to just below 3.
  const buckets = inMicroseconds(waits.buckets, unit).map((each) => ({
    ...each,
    max: each.max + 1,
  }));
  const highest = max_ns === null ? Number.POSITIVE_INFINITY : max_ns / 1000;
  const at = (share: number): number | null => percentile(buckets, share, highest);
  return {
    avg_latency_us: total_ns === null || count === 0 ? null : tenth(total_ns / count / 1000),
    p50_us: at(shares.p50),
    p90_us: at(shares.p90),
    p95_us: at(shares.p95),
    p99_us: at(shares.p99),
    max_latency_us: max_ns === null || count === 0 ? null : tenth(max_ns / 1000),
    ranges_us:
      buckets.length === 0
        ? null
        : {
            p50: rangeOf(buckets, shares.p50),
            p90: rangeOf(buckets, shares.p90),
            p95: rangeOf(buckets, shares.p95),
            p99: rangeOf(buckets, shares.p99),
          },
  };
}

function inMicroseconds(buckets: readonly Bucket[], unit: LatencyUnit): readonly Bucket[] {
  if (unit === 'us') return buckets;
  return buckets.map(({ min, max, count }) => ({
    min: min * 1000,
    max: (max + 1) * 1000 - 1,
    count,
  }));
}

function rangeOf(buckets: readonly Bucket[], share: number): readonly [number, number] {
  let left = share * buckets.reduce((sum, { count }) => sum + count, 0);
  for (const { min, max, count } of buckets) {
    if (left <= count) return [min, max];
    left -= count;
  }
  const last = buckets.at(-1);
  return [last?.min ?? 0, last?.max ?? 0];
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
