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
      all.set(id, known ? combine(known, counts, 1) : counts);
    }
  }
  return all;
}

/**
 * What was counted from one print of the same maps to the next; extremes are those of the time in
 * between already. Queues in which nothing happened are left out.
 */
export function grown(before: Counted, now: Counted): Counted {
  const differences = [...now].map(([id, counts]): [string, DsqCounts] => {
    const known = before.get(id);
    return [id, known ? combine(counts, { ...known, ...noExtremes }, -1) : counts];
  });
  return new Map(differences.filter(([, counts]) => isUsed(counts)));
}

const noExtremes = { vtime_min: null, vtime_max: null };

const isUsed = ({ inserts, kept, dispatches, queue_wait, last_hop }: DsqCounts): boolean =>
  inserts + kept + dispatches + queue_wait.count + last_hop.count > 0;

/** Adds the counts of `b`, or (-1) takes them off; extremes are those of both, or those of `a`. */
function combine(a: DsqCounts, b: DsqCounts, sign: 1 | -1): DsqCounts {
  const sum = (of: (each: DsqCounts) => number): number => of(a) + sign * of(b);
  return {
    inserts: sum((each) => each.inserts),
    kept: sum((each) => each.kept),
    dispatches: sum((each) => each.dispatches),
    queue_wait: combineWaits(a.queue_wait, b.queue_wait, sign),
    last_hop: combineWaits(a.last_hop, b.last_hop, sign),
    depth: {
      count: sum(({ depth }) => depth.count),
      total: sum(({ depth }) => depth.total),
      max: sign < 0 ? a.depth.max : Math.max(a.depth.max, b.depth.max),
    },
    slice: { count: sum(({ slice }) => slice.count), total: sum(({ slice }) => slice.total) },
    vtime_min: known(Math.min, a.vtime_min, b.vtime_min),
    vtime_max: known(Math.max, a.vtime_max, b.vtime_max),
  };
}

function combineWaits(a: Waits, b: Waits, sign: 1 | -1): Waits {
  const buckets = combineBuckets(a.buckets, b.buckets, sign);
  // A maximum that came between print and clear is lost, the count of its bucket is not.
  const least_ns = buckets.at(-1)?.min ?? 0;
  const max_ns = sign < 0 ? a.max_ns : Math.max(a.max_ns, b.max_ns);
  return {
    count: a.count + sign * b.count,
    total_ns: a.total_ns + sign * b.total_ns,
    max_ns: Math.max(max_ns, least_ns),
    buckets,
  };
}

function combineBuckets(a: readonly Bucket[], b: readonly Bucket[], sign: 1 | -1): Bucket[] {
  const byMin = new Map(a.map((bucket) => [bucket.min, bucket]));
  for (const bucket of b) {
    const count = (byMin.get(bucket.min)?.count ?? 0) + sign * bucket.count;
    byMin.set(bucket.min, { ...bucket, count });
  }
  return [...byMin.values()]
    .filter(({ count }) => count > 0)
    .sort((one, other) => one.min - other.min);
}

function known(
  choose: (a: number, b: number) => number,
  a: number | null,
  b: number | null,
): number | null {
  return a === null || b === null ? (a ?? b) : choose(a, b);
}
