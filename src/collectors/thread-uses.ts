import { ParseError } from '../../parsers/parsed.ts';
import { type PidStat, parsePidStat } from '../../parsers/pid-stat/pid-stat.ts';
import { parsePidStatus } from '../../parsers/pid-status/pid-status.ts';
import type { Context } from '../context.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import { accountsForWaits, readSchedstat, threadIds } from './process-scan.ts';

/** Counters of one thread since it began; null where this kernel keeps none. */
type ThreadCounters = Readonly<{
  stat: PidStat;
  run_ns: number | null;
  wait_ns: number | null;
  voluntary: number | null;
  involuntary: number | null;
}>;

export type ProcessThreads = Readonly<{
  at_ms: number;
  starttime_ticks: number;
  /** CPU time of the process, with that of threads that have ended. */
  user_ms: number;
  system_ms: number;
  /** Threads that it has; `threads` may hold fewer. */
  total: number;
  threads: ReadonlyMap<number, ThreadCounters>;
}>;

/** What one thread did between two samples. */
export type ThreadUse = Readonly<{
  tid: number;
  comm: string;
  state: string;
  cpu: number;
  window_ms: number;
  started_in_window: boolean;
  user_ms: number;
  system_ms: number;
  run_ns: number | null;
  wait_ns: number | null;
  voluntary: number | null;
  involuntary: number | null;
}>;

/** USER_HZ, what /proc counts CPU time in on every architecture that Node runs on. */
const ms_per_tick = 10;
/** Three files each: this many take about a tenth of a second. */
const max_threads = 2048;

/** The process and its threads, the oldest first; null where it is gone. */
export function sampleProcessThreads(ctx: Context, pid: number): ProcessThreads | null {
  const { files } = ctx;
  const at_ms = ctx.monotonicMs();
  const stat = readStat(files, `/proc/${pid}/stat`);
  if (stat === null) return null;
  const waits = accountsForWaits(files);
  const tids = threadIds(files, pid);
  const threads = new Map<number, ThreadCounters>();
  for (const tid of tids.slice(0, max_threads)) {
    const counters = readThread(files, `/proc/${pid}/task/${tid}`, waits);
    if (counters) threads.set(tid, counters);
  }
  return {
    at_ms,
    starttime_ticks: stat.starttime_ticks,
    user_ms: stat.utime_ticks * ms_per_tick,
    system_ms: stat.stime_ticks * ms_per_tick,
    total: tids.length,
    threads,
  };
}

function readThread(files: HostFiles, folder: string, waits: boolean): ThreadCounters | null {
  const stat = readStat(files, `${folder}/stat`);
  if (stat === null) return null;
  const schedstat = waits ? readSchedstat(files, `${folder}/schedstat`) : null;
  const { data } = parsePidStatus(files.text(`${folder}/status`) ?? '');
  return {
    stat,
    run_ns: schedstat?.run_ns ?? null,
    wait_ns: schedstat?.wait_ns ?? null,
    voluntary: data.voluntary_switches,
    involuntary: data.involuntary_switches,
  };
}

function readStat(files: HostFiles, path: string): PidStat | null {
  const file = files.read(path, 4096);
  if (!file.ok) return null;
  try {
    return parsePidStat(file.text);
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

/**
 * One entry for each thread of the second sample. A new one counts from its beginning; where not all
 * were looked at, one that is not in the first sample may be old, and is left out.
 */
export function threadUses(before: ProcessThreads, after: ProcessThreads): readonly ThreadUse[] {
  const window_ms = after.at_ms - before.at_ms;
  const capped = before.total > before.threads.size || after.total > after.threads.size;
  const told = [...after.threads].filter(([tid]) => !capped || before.threads.has(tid));
  return told.map(([tid, now]): ThreadUse => {
    const known = before.threads.get(tid);
    const then = known?.stat.starttime_ticks === now.stat.starttime_ticks ? known : undefined;
    return {
      tid,
      comm: now.stat.comm,
      state: now.stat.state,
      cpu: now.stat.processor,
      window_ms,
      started_in_window: then === undefined,
      user_ms: (now.stat.utime_ticks - (then?.stat.utime_ticks ?? 0)) * ms_per_tick,
      system_ms: (now.stat.stime_ticks - (then?.stat.stime_ticks ?? 0)) * ms_per_tick,
      run_ns: since(then?.run_ns, now.run_ns),
      wait_ns: since(then?.wait_ns, now.wait_ns),
      voluntary: since(then?.voluntary, now.voluntary),
      involuntary: since(then?.involuntary, now.involuntary),
    };
  });
}

function since(then: number | null | undefined, now: number | null): number | null {
  if (now === null || then === null) return null;
  return now - (then ?? 0);
}
