import { ParseError } from '../../parsers/parsed.ts';
import { type PidSchedstat, parsePidSchedstat } from '../../parsers/pid-schedstat/pid-schedstat.ts';
import { isKernelThread, parsePidStat } from '../../parsers/pid-stat/pid-stat.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Absence, HostFiles } from '../procfs/host-files.ts';
import { nextTurn } from './next-turn.ts';

/** Above this many threads a scan leaves out the run queue wait: a file more for each of them. */
export const max_waited_threads = 20_000;
const pids_between_turns = 1000;
const stat_cap_bytes = 4096;

/** One process at one moment. Its counters are totals since it started. */
export type ScannedProcess = Readonly<{
  pid: number;
  starttime_ticks: number;
  comm: string;
  state: string;
  kernel_thread: boolean;
  threads: number;
  rss_pages: number;
  utime_ticks: number;
  stime_ticks: number;
  /** Monotonic time of the read: a pass over a large host takes longer than a window. */
  at_ms: number;
  /** By thread id; null where they were not read. */
  schedstats: ReadonlyMap<number, PidSchedstat> | null;
}>;

export type ProcessScan = Readonly<{
  started_ms: number;
  processes: ReadonlyMap<number, ScannedProcess>;
  /** Listed, and gone before they could be read. */
  vanished: number;
  /** Listed, and closed to us or unreadable. */
  unreadable: ReadonlySet<number>;
  threads: number;
  /** Whether every process has its `schedstats`. */
  waits: boolean;
}>;

/**
 * One pass over /proc/PID/stat, with the schedstat of every thread while the host has no more than
 * `max_waited_threads`. Other requests get their turn every thousand processes.
 *
 * @throws TracewrightError FEATURE_UNAVAILABLE where /proc cannot be listed.
 */
export async function scanProcesses(ctx: Context, call: Call): Promise<ProcessScan> {
  const { files } = ctx;
  const started_ms = ctx.monotonicMs();
  const pids = listPids(files);
  const processes = new Map<number, ScannedProcess>();
  const unreadable = new Set<number>();
  let vanished = 0;
  let threads = 0;
  let waits = accountsForWaits(files);
  let left = pids.length;
  for (const pid of pids) {
    if (left % pids_between_turns === 0) await nextTurn(call.signal);
    // Each process that is still to come has one thread at least.
    waits &&= threads + left <= max_waited_threads;
    left--;
    const scanned = scanProcess(ctx, pid, waits);
    if (typeof scanned === 'object') {
      processes.set(pid, scanned);
      threads += scanned.threads;
    } else if (scanned === 'missing' || scanned === 'gone') vanished++;
    else unreadable.add(pid);
  }
  waits &&= threads <= max_waited_threads;
  return { started_ms, processes, vanished, unreadable, threads, waits };
}

/** A process as it is now, or why it cannot be read. */
export function scanProcess(ctx: Context, pid: number, waits: boolean): ScannedProcess | Absence {
  const at_ms = ctx.monotonicMs();
  const file = ctx.files.read(`/proc/${pid}/stat`, stat_cap_bytes);
  if (!file.ok) return file.absence;
  try {
    const stat = parsePidStat(file.text);
    return {
      pid,
      starttime_ticks: stat.starttime_ticks,
      comm: untrusted(stat.comm, 64),
      state: stat.state,
      kernel_thread: isKernelThread(stat.flags),
      threads: stat.num_threads,
      rss_pages: stat.rss_pages,
      utime_ticks: stat.utime_ticks,
      stime_ticks: stat.stime_ticks,
      at_ms,
      schedstats:
        waits && stat.num_threads <= max_waited_threads
          ? readSchedstats(ctx.files, pid, stat.num_threads)
          : null,
    };
  } catch (error) {
    if (error instanceof ParseError) return 'failed';
    throw error;
  }
}

/** The file of a process is that of its main thread alone, so others than that need the task folder. */
function readSchedstats(
  files: HostFiles,
  pid: number,
  threads: number,
): ReadonlyMap<number, PidSchedstat> | null {
  const tids = threads === 1 ? [pid] : threadIds(files, pid);
  const found = new Map<number, PidSchedstat>();
  for (const tid of tids) {
    const schedstat = readSchedstat(files, `/proc/${pid}/task/${tid}/schedstat`);
    if (schedstat !== null) found.set(tid, schedstat);
  }
  return found.size === 0 ? null : found;
}

/**
 * False where the kernel was built with the accounting but has it switched off: every file reads
 * `0 0 0` then, also ours, and we did run.
 */
export function accountsForWaits(files: HostFiles): boolean {
  const own = readSchedstat(files, '/proc/self/schedstat');
  return own === null || own.timeslices > 0;
}

/** Null where the thread went or the kernel keeps no such account. */
export function readSchedstat(files: HostFiles, path: string): PidSchedstat | null {
  const file = files.read(path, stat_cap_bytes);
  if (!file.ok) return null;
  try {
    return parsePidSchedstat(file.text);
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

/** Ids of the threads of a process, oldest first; empty where it is gone or closed to us. */
export function threadIds(files: HostFiles, pid: number): readonly number[] {
  return (files.list(`/proc/${pid}/task`) ?? []).map(Number).sort((a, b) => a - b);
}

function listPids(files: HostFiles): readonly number[] {
  const names = files.list('/proc');
  if (names === null) {
    throw new TracewrightError(
      'FEATURE_UNAVAILABLE',
      'The directory /proc cannot be listed.',
      'Mount it: `mount -t proc proc /proc`.',
    );
  }
  return names.map(Number).filter((pid) => Number.isSafeInteger(pid) && pid > 0);
}
