import type { Bucket } from './bpftrace-json/bpftrace-json.ts';
import type { BpftraceOutput } from './bpftrace-json/bpftrace-output.ts';

/** How values spread: counted by range, with exact sum and maximum where the tracer kept them. */
export type Distribution = Readonly<{
  buckets: readonly Bucket[];
  count: number;
  total_ns: number | null;
  max_ns: number | null;
}>;

type Names = Readonly<{ hist: string; stats: string; max: string }>;

/** One key of three maps of a bpftrace program: hist(), stats() and max() of the same values. */
export function distributionOf(output: BpftraceOutput, names: Names, key = ''): Distribution {
  const buckets = output.hist(names.hist).get(key) ?? [];
  const stats = output.stats(names.stats).get(key);
  return {
    buckets: buckets.filter(({ count }) => count > 0),
    count: stats?.count ?? buckets.reduce((sum, { count }) => sum + count, 0),
    total_ns: stats?.total ?? null,
    max_ns: output.map(names.max).get(key) ?? null,
  };
}

/** Two distributions over the same ranges as one. */
export function addDistributions(a: Distribution, b: Distribution): Distribution {
  const byMin = new Map(a.buckets.map((bucket) => [bucket.min, bucket]));
  for (const bucket of b.buckets) {
    const known = byMin.get(bucket.min);
    byMin.set(bucket.min, known ? { ...known, count: known.count + bucket.count } : bucket);
  }
  return {
    buckets: [...byMin.values()].sort((x, y) => x.min - y.min),
    count: a.count + b.count,
    total_ns: a.total_ns === null || b.total_ns === null ? null : a.total_ns + b.total_ns,
    max_ns: a.max_ns === null || b.max_ns === null ? null : Math.max(a.max_ns, b.max_ns),
  };
}
