import type { CpuSchedStat, SchedStat } from '../../parsers/schedstat/schedstat.ts';
import { growth, perSecond, round, sumKnown } from './rates.ts';

/** What the run queue of one or more CPUs did during a window. */
export type QueueCounts = Readonly<{
  wait_ns: number | null;
  timeslices: number | null;
  /** Null where the kernel does not count wakeups (kernel.sched_schedstats is 0). */
  wakeups: number | null;
}>;

/** Time that runnable tasks waited for a CPU, per second and per time they got it. */
export type RunQueueWait = Readonly<{
  wait_ns_per_s: number | null;
  avg_wait_ns: number | null;
  timeslices_per_s: number | null;
}>;

/** The documented form. The kernel keeps sums: it cannot tell the shortest and the longest wait. */
export type Latency = Readonly<{
  avg_ns: number | null;
  min_ns: null;
  max_ns: null;
  total_ns: number;
  samples: number;
}>;

/** By CPU. A CPU that is not in both samples has no entry. */
export function queueCounts(
  before: SchedStat,
  after: SchedStat,
  wakeupsCount: boolean,
): ReadonlyMap<number, QueueCounts> {
  const earlier = new Map(before.cpus.map((each) => [each.cpu, each]));
  const counts = new Map<number, QueueCounts>();
  for (const each of after.cpus) {
    const from = earlier.get(each.cpu);
    if (from) counts.set(each.cpu, countsBetween(from, each, wakeupsCount));
  }
  return counts;
}

function countsBetween(from: CpuSchedStat, to: CpuSchedStat, wakeupsCount: boolean): QueueCounts {
  return {
    wait_ns: growth(from.wait_ns, to.wait_ns),
    timeslices: growth(from.timeslices, to.timeslices),
    wakeups: wakeupsCount ? growth(from.wakeups, to.wakeups) : null,
  };
}

export function addCounts(each: readonly (QueueCounts | undefined)[]): QueueCounts {
  return {
    wait_ns: sumKnown(each.map((counts) => counts?.wait_ns)),
    timeslices: sumKnown(each.map((counts) => counts?.timeslices)),
    wakeups: sumKnown(each.map((counts) => counts?.wakeups)),
  };
}

export function runQueueWait(counts: QueueCounts, window_ms: number): RunQueueWait | null {
  if (counts.wait_ns === null) return null;
  return {
    wait_ns_per_s: perSecond(counts.wait_ns, window_ms),
    avg_wait_ns: average(counts),
    timeslices_per_s: perSecond(counts.timeslices, window_ms),
  };
}

export function latency(counts: QueueCounts): Latency | null {
  const { wait_ns, timeslices } = counts;
  if (wait_ns === null || timeslices === null) return null;
  return {
    avg_ns: average(counts),
    min_ns: null,
    max_ns: null,
    total_ns: wait_ns,
    samples: timeslices,
  };
}

const average = ({ wait_ns, timeslices }: QueueCounts): number | null =>
  wait_ns === null || !timeslices ? null : round(wait_ns / timeslices, 0);
