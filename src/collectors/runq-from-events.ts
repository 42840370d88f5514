import { addDistributions, type Distribution } from '../../parsers/distribution.ts';
import type { PerfEventRecord } from '../../parsers/perf-events/perf-events.ts';
import { schedSwitch } from '../../parsers/perf-events/sched-switch.ts';
import type { RunqlatGroup } from '../../parsers/runqlat/runqlat.ts';
import type { EventFold } from './perf-events-rung.ts';
import type { RunqQuery, RunqWaits } from './runq-rungs.ts';

type Tally = {
  comm: string;
  /** By the lower end of the range. */
  buckets: Map<number, number>;
  count: number;
  total_ns: number;
  max_ns: number;
};

const nothing: Distribution = { buckets: [], count: 0, total_ns: 0, max_ns: 0 };
const wakeup = /\bpid=(\d+) prio=-?\d+ (?:success=\d )?target_cpu=\d+$/;

/** The same account as scripts/bpftrace/runqlat.bt, from events that perf recorded. */
export function runqFold({ pid, group, unit }: RunqQuery): EventFold<RunqWaits> {
  const unit_ns = unit === 'us' ? 1000 : 1_000_000;
  const queued = new Map<number, number>();
  const waited = new Map<number, number>();
  const tallies = new Map<number, Tally>();

  function count(of: PerfEventRecord): void {
    const wait_ns = waited.get(of.tid);
    waited.delete(of.tid);
    if (wait_ns === undefined || (pid !== null && of.pid !== pid)) return;
    const known = tallies.get(of.pid);
    const tally = known ?? { comm: of.comm, buckets: new Map(), count: 0, total_ns: 0, max_ns: 0 };
    if (!known) tallies.set(of.pid, tally);
    add(tally, wait_ns, unit_ns);
  }

  return {
    event(event) {
      const change = schedSwitch(event);
      if (change === null) {
        const woken = wakeup.exec(event.text)?.[1];
        if (woken !== undefined) queued.set(Number(woken), event.time_ns);
        return;
      }
      count(event);
      if (change.runnable && change.prev !== 0) queued.set(change.prev, event.time_ns);
      else queued.delete(change.prev);
      const since = queued.get(change.next);
      queued.delete(change.next);
      if (since !== undefined) waited.set(change.next, event.time_ns - since);
    },
    finish() {
      const groups = [...tallies].map(([id, { comm, ...tally }]): RunqlatGroup => {
        const buckets = [...tally.buckets]
          .sort(([a], [b]) => a - b)
          .map(([min, times]) => ({ min, max: Math.max(0, min * 2 - 1), count: times }));
        return { id, comm, waits: { ...tally, buckets } };
      });
      const all = groups.map(({ waits }) => waits).reduce(addDistributions, nothing);
      return { all, groups: group === 'process' ? groups : [] };
    },
  };
}

/** As hist() of bpftrace: 0 by itself, then from each power of two to below the next. */
function add(tally: Tally, wait_ns: number, unit_ns: number): void {
  const value = Math.floor(wait_ns / unit_ns);
  const from = value === 0 ? 0 : 2 ** Math.floor(Math.log2(value));
  tally.buckets.set(from, (tally.buckets.get(from) ?? 0) + 1);
  tally.count += 1;
  tally.total_ns += wait_ns;
  tally.max_ns = Math.max(tally.max_ns, wait_ns);
}
