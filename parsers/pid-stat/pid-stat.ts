import { ParseError } from '../parsed.ts';

/** Times are in clock ticks: 100 per second on every architecture that Node runs on (USER_HZ). */
export type PidStat = Readonly<{
  pid: number;
  /** As the process wrote it: anything but NUL. Pass it through `untrusted()` before it is shown. */
  comm: string;
  /** R, S, D, T, t, Z, X, I (idle kernel thread), P. */
  state: string;
  ppid: number;
  /** PF_* bits; see `isKernelThread`. */
  flags: number;
  utime_ticks: number;
  stime_ticks: number;
  num_threads: number;
  /** 20 + nice for normal tasks, -1 - rt_priority for real-time ones. */
  priority: number;
  nice: number;
  /** Since boot. Together with pid it names one process for good. */
  starttime_ticks: number;
  vsize_bytes: number;
  rss_pages: number;
  /** CPU it ran on last. */
  processor: number;
  rt_priority: number;
  /** SCHED_* number; see `policyName`. */
  policy: number;
  /** Wait for block devices. Stays 0 unless kernel.task_delayacct is 1. */
  delayacct_blkio_ticks: number;
}>;

/** Number of fields up to delayacct_blkio_ticks, which every kernel since 2.6.18 prints. */
const needed_fields = 42;
/** Fields are 64-bit; one digit more, since a double is no exact bound. */
const largest = 2 ** 67;
const minus = 45;
const zero = 48;
const nine = 57;

/**
 * /proc/PID/stat and /proc/PID/task/TID/stat (fs/proc/array.c, do_task_stat; proc(5)).
 *
 *     7630 (cat) R 7628 7628 5130 0 -1 4194304 100 0 0 0 0 0 0 0 20 0 1 0 147506 3133440 405 184467…
 *     17 (kworker/0:1-events) I 2 0 0 0 -1 69238880 0 0 0 0 0 12 0 0 20 0 1 0 8 0 0 184467440737095…
 *
 * comm is printed raw, so it may hold spaces, `)` and newlines: the fields start after the last `)`.
 * In a task's file the CPU times are those of the thread, in a process's file those of all its
 * threads, ended ones included. Later kernels only appended fields. It is read once per process of
 * the host, hence one pass over the characters.
 *
 * @throws ParseError when it has no comm, a field that is no number, or fewer than 42 fields.
 */
export function parsePidStat(text: string): PidStat {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 2 || close < open) throw new ParseError('no comm in parentheses');
  const fields = numbers(text, close + 4);
  if (fields.length < needed_fields - 3) throw new ParseError('fewer than 42 fields');
  const pid = Number(text.slice(0, open - 1));
  if (!Number.isSafeInteger(pid)) throw new ParseError('no process id');
  const field = (number: number): number => fields[number - 4] ?? Number.NaN;
  return {
    pid,
    comm: text.slice(open + 1, close),
    state: text.charAt(close + 2),
    ppid: field(4),
    flags: field(9),
    utime_ticks: field(14),
    stime_ticks: field(15),
    num_threads: field(20),
    priority: field(18),
    nice: field(19),
    starttime_ticks: field(22),
    vsize_bytes: field(23),
    rss_pages: field(24),
    processor: field(39),
    rt_priority: field(40),
    policy: field(41),
    delayacct_blkio_ticks: field(42),
  };
}

/** The numbers from `start` on, up to field 42. One without a separator behind it is torn: left out. */
function numbers(text: string, start: number): number[] {
  const found: number[] = [];
  let value = 0;
  let sign = 1;
  for (let at = start; at < text.length && found.length < needed_fields - 3; at++) {
    const code = text.charCodeAt(at);
    if (code >= zero && code <= nine) value = value * 10 + code - zero;
    else if (code === minus) sign = -1;
    else if (code === 32 || code === 10) {
      if (value > largest) throw new ParseError(`field ${found.length + 4} is too large`);
      found.push(sign * value);
      value = 0;
      sign = 1;
    } else throw new ParseError(`field ${found.length + 4} is not a number`);
  }
  return found;
}

/** PF_KTHREAD, the same bit since Linux 2.6.32. */
export const isKernelThread = (flags: number): boolean => (flags & 0x0020_0000) !== 0;

const policies: Readonly<Record<number, string>> = {
  0: 'SCHED_OTHER',
  1: 'SCHED_FIFO',
  2: 'SCHED_RR',
  3: 'SCHED_BATCH',
  5: 'SCHED_IDLE',
  6: 'SCHED_DEADLINE',
  7: 'SCHED_EXT',
};

/** The name in include/uapi/linux/sched.h, or the number as text where it has none here. */
export const policyName = (policy: number): string => policies[policy] ?? String(policy);
