import {
  type BpftraceRecord,
  type Bucket,
  parseBpftraceLine,
} from '../bpftrace-json/bpftrace-json.ts';
import { countsBetween, type Print, printOf } from './dsq-print.ts';
import { type Counted, together } from './dsq-sum.ts';

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
  let queues: Counted[] = [];
  let before: Print = new Map();
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
      const now = printOf(pending);
      queues.push(countsBetween(before, now));
      [before, pending] = [now, []];
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
