import { parsePidStatus } from '../../parsers/pid-status/pid-status.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { cut, page } from '../page.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Reading } from '../reading.ts';
import { default_window_ms } from './counter-window.ts';
import { extOf, readExtTasks } from './process-ext.ts';
import { readFacts, readStat } from './process-facts.ts';
import { readPlaces, readSelf } from './process-places.ts';
import type { ProcessSort } from './process-ranking.ts';
import { type Places, type ProcessRow, placeOf, processRow, switchFields } from './process-row.ts';
import { accountsForWaits, type ScannedProcess, scanProcess } from './process-scan.ts';
import { processLines } from './process-summary.ts';
import { unavailableFields } from './process-unavailable.ts';
import { compareProcess } from './process-use.ts';
import { percent, round } from './rates.ts';
import {
  compareSamples,
  compareThreads,
  sampleThreads,
  type ThreadBetween,
  type ThreadsSample,
} from './thread-samples.ts';

/** Two passes over this many threads cost about a fifth of a second. */
const max_threads = 4096;

export type OneProcessQuery = Readonly<{
  /** Of a process or of one of its threads. */
  pid: number;
  sort: ProcessSort;
  limit: number;
  offset: number;
  window_ms?: number | undefined;
  sched_ext?: boolean | undefined;
}>;

export type OneProcess = Readonly<{
  processes: readonly [ProcessRow];
  shown: 1;
  thread_rows: readonly ReturnType<typeof threadRow>[];
}>;

/**
 * One process and its threads, without a look at any other.
 *
 * @throws TracewrightError PID_NOT_FOUND, PERMISSION_DENIED
 */
export async function collectOneProcess(
  ctx: Context,
  query: OneProcessQuery,
  call: Call,
): Promise<Reading<OneProcess>> {
  const pid = processOf(ctx, query.pid);
  const started_ms = ctx.monotonicMs();
  const before = look(ctx, pid);
  const rest_ms = started_ms + (query.window_ms ?? default_window_ms) - ctx.monotonicMs();
  if (rest_ms > 0) await ctx.sleep(rest_ms, call.signal);
  const after = look(ctx, pid);
  if (after.process.starttime_ticks !== before.process.starttime_ticks) throw notFound(pid);

  const { places, unavailable } = readPlaces(ctx.files);
  const use = compareProcess(before.process, after.process, started_ms, true);
  const detail = compareSamples(before.sample, after.sample);
  const facts = readFacts(ctx, pid);
  const { main } = after.sample;
  const tasks = query.sched_ext ? await readExtTasks(ctx, pid, call) : null;
  const ext = extOf(tasks, pid);
  const row = processRow({ use, detail, main, facts, ext }, places, readSelf(ctx.files));
  const threads = compareThreads(before.sample, after.sample)
    .map((each) => ({ ...each, window_ms: detail.window_ms }))
    .sort(threadOrder(query.sort));
  const shown = page(threads, query);
  const left_out = detail.threads - detail.threads_sampled;
  return {
    data: {
      processes: [row],
      shown: 1,
      thread_rows: shown.rows.map((each) => threadRow(ctx.files, pid, each, places)),
    },
    source:
      '/proc/PID/stat, /proc/PID/task/TID/{schedstat,sched,stat}, /proc/PID/{status,cgroup,cmdline}',
    summary: [
      ...(pid === query.pid ? [] : [`${query.pid} is a thread of process ${pid}.`]),
      ...processLines(row, use.window_ms),
    ],
    window_ms: Math.round(use.window_ms),
    ...cut(
      shown,
      `stats://aggregated/process?pid=${pid}&sort=${query.sort}&limit=${query.limit}&offset=${shown.next_offset}`,
    ),
    warnings:
      left_out > 0 ? [`${left_out} threads beyond the first ${max_threads} were left out.`] : [],
    unavailable: [...unavailableFields(ctx, [row], tasks), ...unavailable],
  };
}

/** The process that a pid or thread id belongs to; PID_NOT_FOUND, PERMISSION_DENIED. */
export function processOf({ files }: Context, id: number): number {
  const file = files.read(`/proc/${id}/status`);
  if (file.ok) return parsePidStatus(file.text).data.tgid ?? id;
  if (file.absence !== 'denied') throw notFound(id);
  throw new TracewrightError(
    'PERMISSION_DENIED',
    `This user may not look at process ${id}.`,
    'Run Tracewright as root, or as the user of that process.',
  );
}

const notFound = (pid: number): TracewrightError =>
  new TracewrightError(
    'PID_NOT_FOUND',
    `There is no process ${pid}, or it ended while it was measured.`,
    'Read stats://aggregated/process?comm=NAME for the pid of a program, or run `ps -e`.',
  );

type Look = Readonly<{ process: ScannedProcess; sample: ThreadsSample }>;

function look(ctx: Context, pid: number): Look {
  const waits = accountsForWaits(ctx.files);
  const process = scanProcess(ctx, pid, waits);
  const sample = sampleThreads(ctx, pid, max_threads, waits);
  if (typeof process !== 'object' || sample === null) throw notFound(pid);
  return { process, sample };
}

type ThreadUse = ThreadBetween & Readonly<{ window_ms: number }>;

/** rss and threads are the process's, so threads then come by CPU time. */
function threadOrder(sort: ProcessSort): (a: ThreadUse, b: ThreadUse) => number {
  const key = ({ used, tid }: ThreadUse): number => {
    switch (sort) {
      case 'pid':
        return -tid;
      case 'wait':
        return used.wait_ns ?? -1;
      case 'switches':
        return (used.voluntary ?? -1) + (used.involuntary ?? 0);
      case 'migrations':
        return used.migrations ?? -1;
      case 'cpu':
      case 'rss':
      case 'threads':
        return used.run_ns ?? -1;
    }
  };
  return (a, b) => key(b) - key(a) || a.tid - b.tid;
}

function threadRow(files: HostFiles, pid: number, thread: ThreadUse, places: Places) {
  const { tid, window_ms, used, now } = thread;
  const stat = readStat(files, `/proc/${pid}/task/${tid}/stat`);
  const { wait_ns, timeslices, run_ns } = used;
  const last_cpu = stat?.processor ?? null;
  const { nr_switches: _, ...switches } = switchFields({
    window_ms,
    used,
    migrations_total: now.migrations,
    threads: 1,
    threads_sampled: 1,
  });
  return {
    tid,
    comm: stat && untrusted(stat.comm),
    state: stat?.state ?? null,
    cpu_pct: percent(run_ns === null ? null : run_ns / 1e6, window_ms),
    run_queue_wait_ms: wait_ns === null ? null : round(wait_ns / 1e6, 3),
    run_queue_wait_pct: percent(wait_ns === null ? null : wait_ns / 1e6, window_ms),
    avg_wait_ns: wait_ns === null || !timeslices ? null : round(wait_ns / timeslices, 0),
    ...switches,
    last_cpu,
    ...placeOf(last_cpu, places),
    ...(thread.started_in_window ? { started_in_window: true } : {}),
  };
}
