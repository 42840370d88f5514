import type { Bucket } from '../../parsers/bpftrace-json/bpftrace-json.ts';

/**
 * The value below which a share of the counted values lies. A histogram tells the bucket; within it
 * the values are taken as evenly spread up to `highest`, the largest of all. Null for an empty
 * histogram.
 */
export function percentile(
  buckets: readonly Bucket[],
  share: number,
  highest: number,
): number | null {
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return null;
  let left = share * total;
  for (const { min, max, count } of buckets) {
    const top = Math.max(min, Math.min(max, highest));
    if (left <= count) return Math.round(min + (top - min) * (left / count));
    left -= count;
  }
  return highest;
}
