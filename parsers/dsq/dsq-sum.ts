import type { Bucket } from '../bpftrace-json/bpftrace-json.ts';
import type { DsqCounts, DsqOutput, Waits } from './dsq.ts';

/** By queue id as bpftrace prints it. */
export type Counted = ReadonlyMap<string, DsqCounts>;

/** What several stretches of one run of dsq.bt counted, together. */
export function sumDsq(outputs: readonly DsqOutput[]): DsqOutput {
  const total = (of: 'intervals' | 'lost_events'): number =>
    outputs.reduce((sum, output) => sum + output[of], 0);
  return {
    attached: outputs[0]?.attached ?? null,
    intervals: total('intervals'),
    lost_events: total('lost_events'),
    queues: together(outputs.map(({ queues }) => queues)),
  };
}

export function together(each: readonly Counted[]): Counted {
  const all = new Map<string, DsqCounts>();
  for (const queues of each) {
    for (const [id, counts] of queues) {
      const known = all.get(id);
      all.set(id, known ? sumCounts(known, counts) : counts);
    }
  }
  return all;
}

function sumCounts(a: DsqCounts, b: DsqCounts): DsqCounts {
  return {
    inserts: a.inserts + b.inserts,
    kept: a.kept + b.kept,
    dispatches: a.dispatches + b.dispatches,
    queue_wait: sumWaits(a.queue_wait, b.queue_wait),
    last_hop: sumWaits(a.last_hop, b.last_hop),
    depth: {
      count: a.depth.count + b.depth.count,
      total: a.depth.total + b.depth.total,
      max: Math.max(a.depth.max, b.depth.max),
    },
    slice: { count: a.slice.count + b.slice.count, total: a.slice.total + b.slice.total },
    vtime_min: known(Math.min, a.vtime_min, b.vtime_min),
    vtime_max: known(Math.max, a.vtime_max, b.vtime_max),
  };
}

export function sumWaits(a: Waits, b: Waits): Waits {
  return {
    count: a.count + b.count,
    total_ns: a.total_ns + b.total_ns,
    max_ns: Math.max(a.max_ns, b.max_ns),
    buckets: sumBuckets(a.buckets, b.buckets),
  };
}

function sumBuckets(a: readonly Bucket[], b: readonly Bucket[]): Bucket[] {
  const byMin = new Map(a.map((bucket) => [bucket.min, bucket]));
  for (const bucket of b) {
    const count = (byMin.get(bucket.min)?.count ?? 0) + bucket.count;
    byMin.set(bucket.min, { ...bucket, count });
  }
  return [...byMin.values()].sort((one, other) => one.min - other.min);
}

function known(
  choose: (a: number, b: number) => number,
  a: number | null,
  b: number | null,
): number | null {
  return a === null || b === null ? (a ?? b) : choose(a, b);
}
