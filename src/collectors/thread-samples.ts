import { ParseError } from '../../parsers/parsed.ts';
import { type PidSched, parsePidSched } from '../../parsers/pid-sched/pid-sched.ts';
import { parsePidStatus } from '../../parsers/pid-status/pid-status.ts';
import type { Context } from '../context.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import { readSchedstat, threadIds } from './process-scan.ts';

const file_cap_bytes = 16 * 1024;

/** Counters of one thread since it started; null where this kernel keeps none. */
export type ThreadCounts = Readonly<{
  run_ns: number | null;
  wait_ns: number | null;
  timeslices: number | null;
  voluntary: number | null;
  involuntary: number | null;
  migrations: number | null;
  wakeups: number | null;
}>;

export type ThreadsSample = Readonly<{
  at_ms: number;
  counts: ReadonlyMap<number, ThreadCounts>;
  /** Threads that the process has; more than `counts` where the cap left some out. */
  threads: number;
  /** Of the main thread. */
  main: PidSched | null;
}>;

/** What the threads of a process did between two samples, in the counters' units. */
export type ThreadsUse = Readonly<{
  window_ms: number;
  used: ThreadCounts;
  migrations_total: number | null;
  threads: number;
  threads_sampled: number;
}>;

/**
 * The counters of at most `cap` threads of a process, the oldest first; null where it is gone.
 * `waits`: whether the kernel accounts for them (`accountsForWaits`).
 */
export function sampleThreads(
  ctx: Context,
  pid: number,
  cap: number,
  waits: boolean,
): ThreadsSample | null {
  const at_ms = ctx.monotonicMs();
  const tids = threadIds(ctx.files, pid);
  const counts = new Map<number, ThreadCounts>();
  let main: PidSched | null = null;
  for (const tid of tids.slice(0, cap)) {
    const folder = `/proc/${pid}/task/${tid}`;
    const sched = readSched(ctx.files, `${folder}/sched`);
    if (tid === pid) main = sched;
    const thread = readCounts(ctx.files, folder, sched, waits);
    if (thread !== null) counts.set(tid, thread);
  }
  return counts.size === 0 ? null : { at_ms, counts, threads: tids.length, main };
}

/** `sched` has the context switches too; `status` is read only where a kernel has no `sched`. */
function readCounts(
  files: HostFiles,
  folder: string,
  sched: PidSched | null,
  waits: boolean,
): ThreadCounts | null {
  const schedstat = waits ? readSchedstat(files, `${folder}/schedstat`) : null;
  const status = sched === null ? files.text(`${folder}/status`) : null;
  if (schedstat === null && sched === null && status === null) return null;
  const switches = status === null ? null : parsePidStatus(status).data;
  const run_ms = sched?.sum_exec_runtime_ms ?? null;
  return {
    run_ns: schedstat?.run_ns ?? (run_ms === null ? null : run_ms * 1e6),
    wait_ns: schedstat?.wait_ns ?? null,
    timeslices: schedstat?.timeslices ?? null,
    voluntary: sched?.nr_voluntary_switches ?? switches?.voluntary_switches ?? null,
    involuntary: sched?.nr_involuntary_switches ?? switches?.involuntary_switches ?? null,
    migrations: sched?.nr_migrations ?? null,
    wakeups: sched?.nr_wakeups ?? null,
  };
}

function readSched(files: HostFiles, path: string): PidSched | null {
  const file = files.read(path, file_cap_bytes);
  if (!file.ok) return null;
  try {
    return parsePidSched(file.text).data;
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

/** What one thread did between two samples. */
export type ThreadBetween = Readonly<{
  tid: number;
  used: ThreadCounts;
  now: ThreadCounts;
  started_in_window: boolean;
}>;

/**
 * Thread by thread. Where a cap left threads out, only those of both samples count: another one may
 * have come into view because an older one ended.
 */
export function compareThreads(before: ThreadsSample, after: ThreadsSample): ThreadBetween[] {
  const capped = after.threads > after.counts.size || before.threads > before.counts.size;
  const all: ThreadBetween[] = [];
  for (const [tid, now] of after.counts) {
    const then = before.counts.get(tid);
    const used = then && compareCounts(then, now);
    if (used) all.push({ tid, used, now, started_in_window: false });
    // Where a counter went back, the id is that of a new thread now.
    else if (then || !capped) all.push({ tid, used: now, now, started_in_window: true });
  }
  return all;
}

/** The sum over the threads. */
export function compareSamples(before: ThreadsSample, after: ThreadsSample): ThreadsUse {
  const uses = compareThreads(before, after).map(({ used }) => used);
  const current = [...after.counts.values()];
  return {
    window_ms: after.at_ms - before.at_ms,
    used: {
      run_ns: sum(uses, 'run_ns'),
      wait_ns: sum(uses, 'wait_ns'),
      timeslices: sum(uses, 'timeslices'),
      voluntary: sum(uses, 'voluntary'),
      involuntary: sum(uses, 'involuntary'),
      migrations: sum(uses, 'migrations'),
      wakeups: sum(uses, 'wakeups'),
    },
    migrations_total: sum(current, 'migrations'),
    threads: after.threads,
    threads_sampled: after.counts.size,
  };
}

/** What one thread did between two reads; null where a counter went back. */
function compareCounts(then: ThreadCounts, now: ThreadCounts): ThreadCounts | null {
  const delta = (name: keyof ThreadCounts): number | null => {
    const [from, to] = [then[name], now[name]];
    return from === null || to === null ? null : to - from;
  };
  const used = {
    run_ns: delta('run_ns'),
    wait_ns: delta('wait_ns'),
    timeslices: delta('timeslices'),
    voluntary: delta('voluntary'),
    involuntary: delta('involuntary'),
    migrations: delta('migrations'),
    wakeups: delta('wakeups'),
  };
  return Object.values(used).some((count) => count !== null && count < 0) ? null : used;
}

function sum(counts: readonly ThreadCounts[], name: keyof ThreadCounts): number | null {
  let total: number | null = null;
  for (const each of counts) {
    const value = each[name];
    if (value !== null) total = (total ?? 0) + value;
  }
  return total;
}
