import {
  type BpftraceRecord,
  type Bucket,
  parseBpftraceLine,
  type Stats,
} from '../bpftrace-json/bpftrace-json.ts';
import { type Counted, grown, together } from './dsq-sum.ts';

/** What went through one dispatch queue while it was watched. Times in nanoseconds. */
export type DsqCounts = {
  inserts: number;
  /** Picked again by the CPU that had just put them there, without a switch. */
  kept: number;
  dispatches: number;
  queue_wait: Waits;
  last_hop: Waits;
  /** Tasks in the queue, the inserted one included. */
  depth: { count: number; total: number; max: number };
  slice: { count: number; total: number };
  /** Of inserts that are ordered by virtual time; null where there was none. */
  vtime_min: number | null;
  vtime_max: number | null;
};

export type Waits = {
  count: number;
  total_ns: number;
  max_ns: number;
  /** By power of two. */
  buckets: Bucket[];
};

export type DsqOutput = Readonly<{
  attached: number | null;
  /** Whole intervals, in which each queue was watched from beginning to end. */
  intervals: number;
  lost_events: number;
  /** By queue id as bpftrace prints it. */
  queues: ReadonlyMap<string, DsqCounts>;
}>;

/**
 * Adds up what scripts/bpftrace/dsq.bt prints: per interval one line a map, `@intervals` last. What
 * comes after the last whole interval is not counted.
 */
export function dsqAccumulator() {
  let queues: readonly Counted[] = [];
  let before: Counted = new Map();
  let attached: number | null = null;
  let lost_events = 0;
  let rest = '';
  let pending: BpftraceRecord[] = [];

  const take = (record: BpftraceRecord): void => {
    if (record.type === 'attached_probes') attached = record.probes;
    else if (record.type === 'lost_events') lost_events += record.events;
    // At its end bpftrace prints all maps once more, cleared.
    else if (isEnd(record)) pending = [];
    else if (record.name === '@intervals') {
      const now = new Map<string, DsqCounts>();
      for (const each of pending) add(now, each);
      pending = [];
      queues = [...queues, grown(before, now)];
      before = now;
    } else pending.push(record);
  };

  return {
    push(text: string): void {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const record = parseBpftraceLine(line);
        if (record) take(record);
      }
    },
    /** What was seen since the last call, which begins anew. */
    drain(): DsqOutput {
      const output = { attached, intervals: queues.length, lost_events, queues: together(queues) };
      queues = [];
      lost_events = 0;
      return output;
    },
    intervals: (): number => queues.length,
    attached: (): number | null => attached,
  };
}

const isEnd = (record: BpftraceRecord): boolean =>
  record.type === 'map' && record.name === '@intervals' && record.values.get('') === 0;

/** The same of a whole output, for a file that came from another machine. */
export function parseDsq(text: string) {
  const accumulator = dsqAccumulator();
  accumulator.push(`${text}\n`);
  const { queues, ...rest } = accumulator.drain();
  return { ...rest, queues: Object.fromEntries(queues) };
}

function add(queues: Map<string, DsqCounts>, record: BpftraceRecord): void {
  if (record.type === 'map') {
    for (const [key, value] of record.values) addNumber(queueOf(queues, key), record.name, value);
  } else if (record.type === 'stats') {
    for (const [key, value] of record.values) addStats(queueOf(queues, key), record.name, value);
  } else if (record.type === 'hist') {
    for (const [key, value] of record.values) addBuckets(queueOf(queues, key), record.name, value);
  }
}

function addNumber(queue: DsqCounts, name: string, value: number): void {
  switch (name) {
    case '@inserts':
      queue.inserts += value;
      break;
    case '@kept':
      queue.kept += value;
      break;
    case '@dispatches':
      queue.dispatches += value;
      break;
    case '@queue_wait_max_ns':
      queue.queue_wait.max_ns = Math.max(queue.queue_wait.max_ns, value);
      break;
    case '@last_hop_max_ns':
      queue.last_hop.max_ns = Math.max(queue.last_hop.max_ns, value);
      break;
    case '@depth_max':
      queue.depth.max = Math.max(queue.depth.max, value);
      break;
    case '@vtime_min':
      queue.vtime_min = Math.min(queue.vtime_min ?? value, value);
      break;
    case '@vtime_max':
      queue.vtime_max = Math.max(queue.vtime_max ?? value, value);
      break;
  }
}

function addStats(queue: DsqCounts, name: string, { count, total }: Stats): void {
  if (name === '@depth' || name === '@slice_ns') {
    const sum = name === '@depth' ? queue.depth : queue.slice;
    sum.count += count;
    sum.total += total;
  }
  if (name === '@queue_wait_sum_ns' || name === '@last_hop_sum_ns') {
    const waits = name === '@queue_wait_sum_ns' ? queue.queue_wait : queue.last_hop;
    waits.count += count;
    waits.total_ns += total;
  }
}

function addBuckets(queue: DsqCounts, name: string, buckets: readonly Bucket[]): void {
  const waits = name === '@queue_wait_ns' ? queue.queue_wait : queue.last_hop;
  const byMin = new Map(waits.buckets.map((bucket) => [bucket.min, bucket]));
  for (const bucket of buckets) {
    const known = byMin.get(bucket.min);
    byMin.set(bucket.min, known ? { ...known, count: known.count + bucket.count } : bucket);
  }
  waits.buckets = [...byMin.values()]
    .filter((each) => each.count > 0)
    .sort((a, b) => a.min - b.min);
}

function queueOf(queues: Map<string, DsqCounts>, key: string): DsqCounts {
  const known = queues.get(key);
  if (known) return known;
  const waits = (): Waits => ({ count: 0, total_ns: 0, max_ns: 0, buckets: [] });
  const queue: DsqCounts = {
    inserts: 0,
    kept: 0,
    dispatches: 0,
    queue_wait: waits(),
    last_hop: waits(),
    depth: { count: 0, total: 0, max: 0 },
    slice: { count: 0, total: 0 },
    vtime_min: null,
    vtime_max: null,
  };
  queues.set(key, queue);
  return queue;
}
