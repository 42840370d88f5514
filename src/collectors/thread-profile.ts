import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError, toTracewrightError } from '../errors.ts';
import { cut, page } from '../page.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { collectOffcpuProfile, type OffcpuProfile } from './offcpu-profile.ts';
import { percent, round, sumKnown } from './rates.ts';
import {
  type ProcessThreads,
  sampleProcessThreads,
  type ThreadUse,
  threadUses,
} from './thread-uses.ts';
import { tracedProcess } from './traced-process.ts';

type Query = Readonly<{ pid: number; duration_seconds: number; include_offcpu: boolean }>;

/** Percentages are of one CPU. Null where this kernel does not tell. */
export type ThreadRow = Readonly<{
  tid: number;
  name: string;
  /** At the end of the window: R, S, D, T, t, Z, X, I. */
  state: string;
  cpu_user_percent: number;
  cpu_system_percent: number;
  cpu_total_percent: number;
  voluntary_ctx_switches: number | null;
  involuntary_ctx_switches: number | null;
  /** Ready to run and without a CPU. */
  runqueue_wait_us: number | null;
  runqueue_wait_percent: number | null;
  /** Neither on a CPU nor waiting for one: blocked or asleep. */
  offcpu_time_us: number | null;
  offcpu_percent: number | null;
  cpu: number;
  started_in_window?: true;
}>;

export type ThreadProfile = Readonly<{
  method: string;
  pid: number;
  process_name: string;
  duration_seconds: number;
  threads: readonly ThreadRow[];
  process_total: Readonly<{
    cpu_user_percent: number;
    cpu_system_percent: number;
    cpu_total_percent: number;
    total_threads: number;
    /** At the end of the window: on a CPU or waiting for one; in a wait that no signal ends. */
    running_threads: number;
    blocked_threads: number;
    runqueue_wait_us: number | null;
    started_threads: number;
    ended_threads: number;
  }>;
  offcpu_summary?: Readonly<{
    method: string | null;
    total_offcpu_us: number | null;
    top_blockers:
      | readonly Readonly<{
          function: string;
          wait_type: string;
          total_us: number;
          percent: number | null;
        }>[]
      | null;
  }>;
  notes: readonly string[];
}>;

const max_rows = 100;
const max_blockers = 10;
const hot_pct = 50;
const waiting_pct = 10;

/**
 * What each thread of a process did within the window: CPU time, switches, waits for a CPU, time off
 * the CPU; with `include_offcpu` what they waited for, from a tracer.
 *
 * @throws TracewrightError PID_NOT_FOUND, also where it ends within the window
 */
export async function collectThreadProfile(
  ctx: Context,
  query: Query,
  call: Call,
): Promise<Reading<ThreadProfile>> {
  const { pid, comm } = tracedProcess(ctx, query.pid);
  const duration_ms = query.duration_seconds * 1000;
  const before = sampleProcessThreads(ctx, pid);
  if (before === null) throw ended(pid);
  const [traced, after] = await Promise.all([
    query.include_offcpu ? traceOffcpu(ctx, pid, query, call) : null,
    ctx.sleep(duration_ms, call.signal).then(() => sampleProcessThreads(ctx, pid)),
  ]);
  if (after === null || after.starttime_ticks !== before.starttime_ticks) throw ended(pid);
  const window_ms = Math.round(after.at_ms - before.at_ms);
  const uses = threadUses(before, after);
  const rows = uses.map(threadRow).sort((a, b) => b.cpu_total_percent - a.cpu_total_percent);
  const shown = page(rows, { limit: max_rows, offset: 0 });
  const offcpu = offcpuParts(traced);
  const data: ThreadProfile = {
    method: offcpu.method === null ? 'procfs' : `procfs+${offcpu.method}`,
    pid,
    process_name: comm,
    duration_seconds: query.duration_seconds,
    threads: shown.rows,
    process_total: processTotal(before, after, uses, rows),
    ...offcpu.data,
    notes: notesOf(rows),
  };
  const few = `${after.threads.size} of ${after.total} threads were looked at, the oldest.`;
  return {
    data,
    source: ['/proc/PID/task/TID/{stat,schedstat,status}', ...offcpu.source].join(', '),
    window_ms,
    ...offcpu.lost,
    summary: inWords(data, window_ms),
    ...cut(shown, `stats://aggregated/process?pid=${pid}&sort=cpu&offset=${shown.next_offset}`),
    warnings: [...(after.total > after.threads.size ? [few] : []), ...offcpu.warnings],
    unavailable: [...gaps(rows), ...offcpu.unavailable],
  };
}

function processTotal(
  before: ProcessThreads,
  after: ProcessThreads,
  uses: readonly ThreadUse[],
  rows: readonly ThreadRow[],
): ThreadProfile['process_total'] {
  const window_ms = after.at_ms - before.at_ms;
  const user_ms = after.user_ms - before.user_ms;
  const system_ms = after.system_ms - before.system_ms;
  return {
    cpu_user_percent: percent(user_ms, window_ms) ?? 0,
    cpu_system_percent: percent(system_ms, window_ms) ?? 0,
    cpu_total_percent: percent(totalTime(user_ms + system_ms, uses), window_ms) ?? 0,
    total_threads: after.total,
    running_threads: rows.filter(({ state }) => state === 'R').length,
    blocked_threads: rows.filter(({ state }) => state === 'D').length,
    runqueue_wait_us: sumKnown(rows.map(({ runqueue_wait_us }) => runqueue_wait_us)),
    started_threads: rows.filter(({ started_in_window }) => started_in_window).length,
    ended_threads: [...before.threads.keys()].filter((tid) => !after.threads.has(tid)).length,
  };
}

type Offcpu = Reading<OffcpuProfile> | Readonly<{ busy: Unavailable }>;

/** What the tracer adds to the answer. */
function offcpuParts(traced: Offcpu | null) {
  if (traced === null || 'busy' in traced) {
    const unavailable = traced === null ? [] : [traced.busy];
    return { method: null, data: {}, source: [], lost: {}, warnings: [], unavailable };
  }
  const { data, source, lost_events, warnings = [], unavailable = [] } = traced;
  return {
    method: data.method,
    data: { offcpu_summary: offcpuSummary(data) },
    source: [source],
    lost: lost_events === undefined ? {} : { lost_events },
    warnings,
    unavailable,
  };
}

/** In the same window. What is in the way of it is told, and the rest goes on. */
async function traceOffcpu(
  ctx: Context,
  pid: number,
  { duration_seconds }: Query,
  call: Call,
): Promise<Offcpu> {
  const shown = { kernel_stacks: true, user_stacks: false };
  const query = { pid, duration_seconds, min_block_us: 1, ...shown };
  try {
    return await collectOffcpuProfile(ctx, query, call);
  } catch (thrown) {
    const { code, message, suggestion } = toTracewrightError(thrown);
    if (code !== 'PROFILER_BUSY') throw thrown;
    return { busy: { what: 'offcpu_summary', reason: message, fix: suggestion } };
  }
}

function offcpuSummary(data: OffcpuProfile): NonNullable<ThreadProfile['offcpu_summary']> {
  return {
    method: data.method,
    total_offcpu_us: data.total_blocked_us,
    top_blockers:
      data.top_blockers?.slice(0, max_blockers).map((each) => ({
        function: each.function,
        wait_type: each.wait_type,
        total_us: each.blocked_us,
        percent: each.percent,
      })) ?? null,
  };
}

/** Ticks of 10 ms know ended threads too; nanoseconds are exact and know living ones only. */
function totalTime(ticked_ms: number, uses: readonly ThreadUse[]): number {
  const run_ms = (sumKnown(uses.map(({ run_ns }) => run_ns)) ?? 0) / 1e6;
  return ticked_ms > run_ms + 20 ? ticked_ms : run_ms;
}

function threadRow(use: ThreadUse): ThreadRow {
  const { window_ms, run_ns, wait_ns } = use;
  const ticked_ms = use.user_ms + use.system_ms;
  const run_ms = run_ns === null ? ticked_ms : run_ns / 1e6;
  const off_ms =
    run_ns === null || wait_ns === null || use.started_in_window
      ? null
      : Math.max(0, window_ms - run_ms - wait_ns / 1e6);
  return {
    tid: use.tid,
    name: untrusted(use.comm, 64),
    state: use.state,
    cpu_user_percent: percent(use.user_ms, window_ms) ?? 0,
    cpu_system_percent: percent(use.system_ms, window_ms) ?? 0,
    cpu_total_percent: percent(run_ms, window_ms) ?? 0,
    voluntary_ctx_switches: use.voluntary,
    involuntary_ctx_switches: use.involuntary,
    runqueue_wait_us: wait_ns === null ? null : round(wait_ns / 1000, 0),
    runqueue_wait_percent: wait_ns === null ? null : percent(wait_ns / 1e6, window_ms),
    offcpu_time_us: off_ms === null ? null : round(off_ms * 1000, 0),
    offcpu_percent: percent(off_ms, window_ms),
    cpu: use.cpu,
    ...(use.started_in_window ? { started_in_window: true as const } : {}),
  };
}

function gaps(rows: readonly ThreadRow[]): readonly Unavailable[] {
  const missing =
    rows.length > 0 && rows.every(({ runqueue_wait_us }) => runqueue_wait_us === null);
  if (!missing) return [];
  return [
    {
      what: 'runqueue_wait_us, offcpu_time_us',
      reason: 'This kernel keeps no account of waits for a CPU (CONFIG_SCHED_INFO), or has it off.',
      fix: null,
    },
  ];
}

/** The summary has them in words of its own. */
const busy_threads = 'Busy threads';

function notesOf(rows: readonly ThreadRow[]): readonly string[] {
  const hot = rows.filter(({ cpu_total_percent }) => cpu_total_percent > hot_pct);
  const waiting = rows.filter((row) => (row.runqueue_wait_percent ?? 0) > waiting_pct);
  const blocked = rows.filter(({ state }) => state === 'D');
  const named = (each: readonly ThreadRow[], what: (row: ThreadRow) => string): string =>
    each
      .slice(0, 4)
      .map((row) => `${row.name} (${row.tid}) ${what(row)}`)
      .join(', ');
  return [
    ...(hot.length > 0
      ? [`${busy_threads}: ${named(hot, (row) => `${row.cpu_total_percent} %`)}.`]
      : []),
    ...(waiting.length > 0
      ? [`Waiting for a CPU: ${named(waiting, (row) => `${row.runqueue_wait_percent} %`)}.`]
      : []),
    ...(blocked.length > 0
      ? [`In a wait that no signal ends (D): ${named(blocked, () => '')}.`]
      : []),
  ];
}

function inWords({ process_total, threads, ...data }: ThreadProfile, window_ms: number): string[] {
  const { cpu_total_percent, total_threads, running_threads, blocked_threads } = process_total;
  const first = threads
    .slice(0, 4)
    .filter((row) => row.cpu_total_percent > 0)
    .map((row) => `${row.name} (${row.tid}) ${row.cpu_total_percent} %`);
  const [blocker] = data.offcpu_summary?.top_blockers ?? [];
  return [
    `${data.process_name} (${data.pid}): ${cpu_total_percent} % of a CPU in ${window_ms} ms, ` +
      `${total_threads} threads, ${running_threads} running and ${blocked_threads} blocked at the end.`,
    ...(first.length > 0 ? [`Busiest: ${first.join(', ')}.`] : ['No thread used a CPU.']),
    ...(blocker ? [`Off the CPU most in ${blocker.function} (${blocker.wait_type}).`] : []),
    ...data.notes.filter((note) => !note.startsWith(busy_threads)),
  ];
}

const ended = (pid: number): TracewrightError =>
  new TracewrightError(
    'PID_NOT_FOUND',
    `Process ${pid} ended.`,
    'Read stats://aggregated/process for the processes that are there.',
  );
