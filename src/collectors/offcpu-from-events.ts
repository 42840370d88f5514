import type { PerfEventRecord } from '../../parsers/perf-events/perf-events.ts';
import { schedSwitch } from '../../parsers/perf-events/sched-switch.ts';
import type { Blocked, OffcpuQuery, OffcpuTrace } from './offcpu-rungs.ts';
import type { EventFold } from './perf-events-rung.ts';

type Gone = Readonly<{ record: PerfEventRecord; state: string }>;
type Tally = { -readonly [Key in keyof Blocked]: Blocked[Key] } & { waits: number; max_us: number };

/** A worker of the kernel without work, and a task that has ended. */
const not_blocked = /^[IXZ]/;
/** A function of a program has the file behind its name. */
const of_program = / \[[^\]]+\]$/;

/** The same account as scripts/bpftrace/offcpu.bt, from switches that perf recorded with stacks. */
export function offcpuFold(
  { pid, min_block_us }: OffcpuQuery,
  own: number | null,
): EventFold<OffcpuTrace> {
  const gone = new Map<number, Gone>();
  const tallies = new Map<string, Tally>();
  const back_us = new Map<number, number>();
  let first_ns: number | null = null;
  let last_ns = 0;

  function count(tid: number, { record, state }: Gone, us: number): void {
    if (us < min_block_us) return;
    const boundary = record.frames.findIndex((frame) => of_program.test(frame));
    const kernel = boundary < 0 ? record.frames : record.frames.slice(0, boundary);
    const user = boundary < 0 ? [] : record.frames.slice(boundary);
    const key = [tid, state, ...record.frames].join('\n');
    const tally = tallies.get(key) ?? {
      ...{ pid: record.pid, tid, comm: record.comm, state, kernel, user },
      ...{ waits: 0, total_us: 0, max_us: 0 },
    };
    tallies.set(key, tally);
    tally.waits += 1;
    tally.total_us += us;
    tally.max_us = Math.max(tally.max_us, us);
  }

  return {
    event(record) {
      const change = schedSwitch(record);
      if (change === null) return;
      first_ns ??= record.time_ns;
      last_ns = record.time_ns;
      const wanted = (pid === null || record.pid === pid) && record.pid !== own;
      const blocks = !change.runnable && !not_blocked.test(change.state) && change.prev !== 0;
      if (wanted && blocks) gone.set(change.prev, { record, state: change.state.slice(0, 1) });
      const back = gone.get(change.next);
      if (!back) {
        // It left the CPU before anybody watched.
        if (!back_us.has(change.next)) {
          back_us.set(change.next, (record.time_ns - first_ns) / 1000);
        }
        return;
      }
      gone.delete(change.next);
      count(change.next, back, (record.time_ns - back.record.time_ns) / 1000);
    },
    finish() {
      for (const [tid, each] of gone) count(tid, each, (last_ns - each.record.time_ns) / 1000);
      return {
        blocked: [...tallies.values()],
        back_us,
        from_ns: null,
        still_waiting: gone.size,
      };
    },
  };
}
