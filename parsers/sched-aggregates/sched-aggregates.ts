import {
  type BpftraceOutput,
  readBpftraceOutput,
  withNumberKeys,
} from '../bpftrace-json/bpftrace-output.ts';
import { type Distribution, distributionOf } from '../distribution.ts';

/** Waits that ended on one CPU. `woken`: they began with a wakeup; else the task was preempted. */
export type CpuWaits = Readonly<{ cpu: number; woken: boolean }> & Distribution;

export type Moves = Readonly<{ from_cpu: number; to_cpu: number; count: number }>;

/** `vector` is the number of the softirq, from HI (0) to RCU (9). */
export type SoftirqTime = Readonly<{
  cpu: number;
  vector: number;
  count: number;
  time_ns: number;
}>;

export type SchedAggregates = Readonly<{
  waits: readonly CpuWaits[];
  moves: readonly Moves[];
  softirqs: readonly SoftirqTime[];
  /** Tasks that got a CPU and nobody knows since when they waited. */
  unmatched: number;
  /** Entries that each map of the kernel needed. One with as many as it holds has lost some. */
  entries: Readonly<Record<string, number>>;
  lost_events: number;
}>;

/** Up to 0.21 or so bpftrace keeps count and sum of stats() as two entries. */
export const stats_entries = 2;

/**
 * What scripts/bpftrace/sched-aggregates.bt printed on one request, with `bpftrace -f json` (0.17 to
 * 0.23), all times in nanoseconds:
 *
 *     {"type": "stats", "data": {"@wait_ns": {"1,1": {"count": 2, "average": 21390, "total": 42780}}}}
 *     {"type": "map", "data": {"@moves": {"0,1": 4, "1,0": 7}}}
 *
 * A map that is empty is not printed.
 */
export function parseSchedAggregates(text: string): SchedAggregates {
  const output = withNumberKeys(readBpftraceOutput(text));
  return {
    waits: [...output.stats('@wait_ns').keys()]
      .map((key) => ({ key, ids: ids(key) }))
      .map(({ key, ids: [cpu = 0, woken] }) => ({
        cpu,
        woken: woken === 1,
        ...distributionOf(output, waitMaps, key),
      })),
    moves: [...output.map('@moves')].map(([key, count]) => {
      const [from_cpu = 0, to_cpu = 0] = ids(key);
      return { from_cpu, to_cpu, count };
    }),
    softirqs: [...output.stats('@softirq_ns')].map(([key, { count, total }]) => {
      const [cpu = 0, vector = 0] = ids(key);
      return { cpu, vector, count, time_ns: total };
    }),
    unmatched: output.map('@unmatched').get('') ?? 0,
    entries: {
      wait_hist: histEntries(output, '@wait_hist'),
      wait_ns: output.stats('@wait_ns').size * stats_entries,
      moves: output.map('@moves').size,
      softirq_ns: output.stats('@softirq_ns').size * stats_entries,
    },
    lost_events: output.health.lost_events,
  };
}

/** The maps of both programs that tell of waits. */
export const waitMaps = { hist: '@wait_hist', stats: '@wait_ns', max: '@wait_max' } as const;

/** The numbers of a key, which bpftrace joins with commas. */
export const ids = (key: string): readonly number[] => key.split(',').map(Number);

/** The kernel keeps an entry for each range of values that occurred. */
export function histEntries(output: BpftraceOutput, name: string): number {
  let entries = 0;
  for (const buckets of output.hist(name).values()) {
    entries += buckets.filter(({ count }) => count > 0).length;
  }
  return entries;
}
