import type { Bucket } from '../../parsers/bpftrace-json/bpftrace-json.ts';
import { addDistributions, type Distribution } from '../../parsers/distribution.ts';
import { percentile } from '../analysis/histogram.ts';
import type { Unavailable } from '../reading.ts';
import { round } from './rates.ts';

/** How many waits there were; all else is null where there was none. */
export type WaitSummary = Readonly<{
  count: number;
  avg_ns: number | null;
  max_ns: number | null;
}>;

/** Percentiles are read off ranges that double: p50_ns of 3000 lies between 2048 and 4095. */
export type WaitFigures = WaitSummary &
  Readonly<{ p50_ns: number | null; p90_ns: number | null; p99_ns: number | null }>;

/** What stands beside percentiles whose range does not. */
export const readOffRanges: Unavailable = {
  what: 'exact percentiles',
  reason:
    'They are read off ranges that double, each taken as evenly filled: the true value lies in the same range. Counts, averages and maxima are exact.',
  fix: null,
};

export function waitFigures(waits: Distribution): WaitFigures {
  const { buckets } = waits;
  const { count, avg_ns, max_ns } = waitSummary(waits);
  const highest = max_ns ?? Number.POSITIVE_INFINITY;
  return {
    count,
    avg_ns,
    p50_ns: percentile(buckets, 0.5, highest),
    p90_ns: percentile(buckets, 0.9, highest),
    p99_ns: percentile(buckets, 0.99, highest),
    max_ns,
  };
}

export function waitSummary({ count, total_ns, max_ns }: Distribution): WaitSummary {
  if (count === 0) return { count, avg_ns: null, max_ns: null };
  return { count, avg_ns: total_ns === null ? null : round(total_ns / count), max_ns };
}

export const histogramRows = (buckets: readonly Bucket[]) =>
  buckets.map(({ min, max, count }) => ({ min_ns: min, max_ns: max, count }));

export const noWaits: Distribution = { buckets: [], count: 0, total_ns: 0, max_ns: null };

/** Several as one. One without waits has no longest wait, and leaves that of the others alone. */
export function addWaits(each: readonly Distribution[]): Distribution {
  const [first = noWaits, ...others] = each.filter(({ count }) => count > 0);
  return others.reduce(addDistributions, first);
}

/** A time as a person says it. */
export function spoken(ns: number | null): string {
  if (ns === null) return 'unknown';
  if (ns < 1000) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${round(ns / 1000)} us`;
  return ns < 1e9 ? `${round(ns / 1e6)} ms` : `${round(ns / 1e9)} s`;
}
