import { ParseError } from '../parsed.ts';

export type PidSchedstat = Readonly<{
  /** Time on a CPU. */
  run_ns: number;
  /** Time runnable but not running. A wait counts when it ends. */
  wait_ns: number;
  /** Times it was switched in: the number of waits behind `wait_ns`. */
  timeslices: number;
}>;

/**
 * /proc/PID/task/TID/schedstat (fs/proc/base.c, proc_pid_schedstat), of one thread; the file of a
 * process is that of its main thread alone.
 *
 *     68212 46258 2
 *     4649884 4858816 63
 *
 * The kernel keeps it for every scheduling class. Without CONFIG_SCHED_INFO the file is missing;
 * where the accounting is compiled in but switched off it reads `0 0 0` for every thread.
 *
 * @throws ParseError when it is not three numbers on a finished line.
 */
export function parsePidSchedstat(text: string): PidSchedstat {
  const first = text.indexOf(' ');
  const second = text.indexOf(' ', first + 1);
  const end = text.indexOf('\n', second + 1);
  const run_ns = Number(text.slice(0, first));
  const wait_ns = Number(text.slice(first + 1, second));
  const timeslices = Number(text.slice(second + 1, end));
  const whole = first > 0 && second > first && end > second;
  if (!whole || !Number.isFinite(run_ns + wait_ns + timeslices)) {
    throw new ParseError('not three numbers');
  }
  return { run_ns, wait_ns, timeslices };
}
