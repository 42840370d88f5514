import type { PerfEventRecord } from './perf-events.ts';

export type SchedSwitch = Readonly<{
  /** Thread ids; 0 is an idle CPU. */
  prev: number;
  next: number;
  next_comm: string;
  /** The one that goes could have gone on: it was preempted or gave way. */
  runnable: boolean;
  /** "S", "D", "R+", …: letters of the kernel (TASK_STATE_TO_CHAR_STR). */
  state: string;
}>;

const pattern =
  /^prev_comm=.{0,64} prev_pid=(\d{1,20}) prev_prio=-?\d+ prev_state=(\S+) ==> next_comm=(.{0,64}) next_pid=(\d{1,20}) next_prio=-?\d+$/s;

/** A sched:sched_switch as perf prints it; null for another event. */
export function schedSwitch({ event, text }: PerfEventRecord): SchedSwitch | null {
  if (event !== 'sched:sched_switch') return null;
  const [, prev, state = '', next_comm = '', next] = pattern.exec(text) ?? [];
  if (prev === undefined || next === undefined) return null;
  return {
    prev: Number(prev),
    next: Number(next),
    next_comm,
    runnable: state.startsWith('R'),
    state,
  };
}
