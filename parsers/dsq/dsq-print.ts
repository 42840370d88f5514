import type { BpftraceRecord, Bucket, Stats } from '../bpftrace-json/bpftrace-json.ts';
import { numbersOf } from '../bpftrace-json/bpftrace-output.ts';
import type { DsqCounts, Waits } from './dsq.ts';
import { sumWaits } from './dsq-sum.ts';

/** What one print of the maps says of a queue, by the name of the map. */
type Printed = Readonly<{
  values: ReadonlyMap<string, number>;
  stats: ReadonlyMap<string, Stats>;
  hists: ReadonlyMap<string, readonly Bucket[]>;
}>;

/** By queue id as bpftrace prints it. */
export type Print = ReadonlyMap<string, Printed>;

type Draft = {
  values: Map<string, number>;
  stats: Map<string, Stats>;
  hists: Map<string, readonly Bucket[]>;
};

/** The records of one print, by queue. */
export function printOf(records: readonly BpftraceRecord[]): Print {
  const queues = new Map<string, Draft>();
  const queue = (id: string): Draft => {
    const known = queues.get(id) ?? { values: new Map(), stats: new Map(), hists: new Map() };
    queues.set(id, known);
    return known;
  };
  for (const record of records) addRecord(record, queue);
  return queues;
}

function addRecord(record: BpftraceRecord, queue: (id: string) => Draft): void {
  if (record.type === 'map') {
    for (const [id, value] of numbersOf(record.values)) queue(id).values.set(record.name, value);
  } else if (record.type === 'stats') {
    for (const [id, value] of record.values) queue(id).stats.set(record.name, value);
  } else if (record.type === 'hist') {
    for (const [id, value] of record.values) queue(id).hists.set(record.name, value);
  }
}

/** What each queue went through between two prints; queues in which nothing happened are left out. */
export function countsBetween(before: Print, now: Print): ReadonlyMap<string, DsqCounts> {
  const counts = [...now].map(([id, printed]): [string, DsqCounts] => [
    id,
    countsOf(printed, before.get(id)),
  ]);
  return new Map(counts.filter(([, each]) => isUsed(each)));
}

const isUsed = ({ inserts, kept, dispatches, queue_wait, last_hop }: DsqCounts): boolean =>
  inserts + kept + dispatches + queue_wait.count + last_hop.count > 0;

function countsOf(now: Printed, before: Printed | undefined): DsqCounts {
  const grown = (name: string): number =>
    (now.values.get(name) ?? 0) - (before?.values.get(name) ?? 0);
  const sum = (name: string): Stats => {
    const { count, total } = now.stats.get(name) ?? nothing;
    const from = before?.stats.get(name) ?? nothing;
    return { count: count - from.count, total: total - from.total };
  };
  const once = waits(now, before, 'once', sum);
  const queue_wait = sumWaits(once, waits(now, before, 'first', sum));
  const last_hop = sumWaits(once, waits(now, before, 'last', sum));
  const depth = sum('@depth');
  return {
    inserts: depth.count,
    kept: grown('@kept'),
    // Left for another queue, or to run.
    dispatches: grown('@moved') + last_hop.count,
    queue_wait,
    last_hop,
    depth: { ...depth, max: now.values.get('@depth_max') ?? 0 },
    slice: sum('@slice_ns'),
    vtime_min: now.values.get('@vtime_min') ?? null,
    vtime_max: now.values.get('@vtime_max') ?? null,
  };
}

const nothing: Stats = { count: 0, total: 0 };

function waits(
  now: Printed,
  before: Printed | undefined,
  kind: 'once' | 'first' | 'last',
  sum: (name: string) => Stats,
): Waits {
  const { count, total } = sum(`@${kind}_sum_ns`);
  const earlier = new Map(before?.hists.get(`@${kind}_ns`)?.map((each) => [each.min, each.count]));
  const buckets = (now.hists.get(`@${kind}_ns`) ?? [])
    .map((each) => ({ ...each, count: each.count - (earlier.get(each.min) ?? 0) }))
    .filter((each) => each.count > 0);
  // A maximum that came between print and clear is lost, the count of its bucket is not.
  const least_ns = buckets.at(-1)?.min ?? 0;
  const max_ns = Math.max(now.values.get(`@${kind}_max_ns`) ?? 0, least_ns);
  return { count, total_ns: total, max_ns, buckets };
}
