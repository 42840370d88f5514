import { readBpftraceOutput, withNumberKeys } from '../bpftrace-json/bpftrace-output.ts';
import { type Distribution, distributionOf } from '../distribution.ts';
import { histEntries, ids, stats_entries, waitMaps } from '../sched-aggregates/sched-aggregates.ts';

/** Waits of the tasks of a process that ended with a switch to them. No buckets: those are of all. */
export type ProcessWaits = Readonly<{ pid: number; woken: boolean }> & Distribution;

/** How often a process woke up a thread. Process 0: the idle task, which is to say an interrupt. */
export type Wakes = Readonly<{ waker_pid: number; woken_tid: number; count: number }>;

export type ThreadMoves = Readonly<{
  tid: number;
  from_cpu: number;
  to_cpu: number;
  count: number;
}>;

/** Waits that began with a wakeup, and those of tasks that were taken off a CPU. */
export type BothKinds = Readonly<{ woken: Distribution; preempted: Distribution }>;

export type SchedProcesses = Readonly<{
  waits: readonly ProcessWaits[];
  /** Of all processes together. */
  all: BothKinds;
  /** Of the process that was asked for, by range only. */
  one: BothKinds;
  wakes: readonly Wakes[];
  moves: readonly ThreadMoves[];
  /** Threads, other than the first, that ended, and their process. */
  ended: readonly Readonly<{ tid: number; pid: number }>[];
  /** Tasks that got a CPU and nobody knows since when they waited. */
  unmatched: number;
  /** Entries that each map of the kernel needed. One with as many as it holds has lost some. */
  entries: Readonly<Record<string, number>>;
  lost_events: number;
}>;

/**
 * What scripts/bpftrace/sched-processes.bt printed on one request, with `bpftrace -f json` (0.17 to
 * 0.23), all times in nanoseconds:
 *
 *     {"type": "stats", "data": {"@wait_ns": {"14,1": {"count": 3, "average": 4210, "total": 12632}}}}
 *     {"type": "map", "data": {"@wakes": {"0,14": 31, "612,613": 8}}}
 *
 * A map that is empty is not printed.
 */
export function parseSchedProcesses(text: string): SchedProcesses {
  const output = withNumberKeys(readBpftraceOutput(text));
  const stats = output.stats('@wait_ns');
  const kind = (hist: string, key: string): Distribution =>
    distributionOf(output, { hist, stats: '', max: '' }, key);
  return {
    waits: [...stats.keys()].map((key) => {
      const [pid = 0, woken] = ids(key);
      return { pid, woken: woken === 1, ...distributionOf(output, { ...waitMaps, hist: '' }, key) };
    }),
    all: { woken: kind('@wait_hist', '1'), preempted: kind('@wait_hist', '0') },
    one: { woken: kind('@pid_hist', '1'), preempted: kind('@pid_hist', '0') },
    wakes: [...output.map('@wakes')].map(([key, count]) => {
      const [waker_pid = 0, woken_tid = 0] = ids(key);
      return { waker_pid, woken_tid, count };
    }),
    moves: [...output.map('@moves')].map(([key, count]) => {
      const [tid = 0, from_cpu = 0, to_cpu = 0] = ids(key);
      return { tid, from_cpu, to_cpu, count };
    }),
    ended: [...output.map('@ended')].map(([tid, pid]) => ({ tid: Number(tid), pid })),
    unmatched: output.map('@unmatched').get('') ?? 0,
    entries: {
      wait_ns: stats.size * stats_entries,
      wakes: output.map('@wakes').size,
      moves: output.map('@moves').size,
      ended: output.map('@ended').size,
      wait_hist: histEntries(output, '@wait_hist'),
    },
    lost_events: output.health.lost_events,
  };
}
