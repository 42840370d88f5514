import type { Call, Context } from '../context.ts';
import { cut, page } from '../page.ts';
import type { Reading } from '../reading.ts';
import { default_window_ms } from './counter-window.ts';
import {
  type Detail,
  detail_window_ms,
  max_detail_threads,
  max_threads_per_process,
  measureDetails,
} from './process-details.ts';
import { extOf, readExtTasks } from './process-ext.ts';
import { readFacts } from './process-facts.ts';
import { readPlaces, readSelf } from './process-places.ts';
import { activeProcesses, type ProcessSort, ranking, rankProcesses } from './process-ranking.ts';
import { type MeasuredProcess, type ProcessRow, processRow } from './process-row.ts';
import { max_waited_threads, type ProcessScan, scanProcesses } from './process-scan.ts';
import { rankingLines } from './process-summary.ts';
import { hiddenProcesses, unavailableFields } from './process-unavailable.ts';
import { compareScans, type ProcessUse, type ScanComparison } from './process-use.ts';

export type ProcessQuery = Readonly<{
  limit: number;
  offset: number;
  sort: ProcessSort;
  /** What the name begins with. */
  comm?: string | undefined;
  /** Undefined: since the last read where the server keeps it, else 500 ms. */
  window_ms?: number | undefined;
  /** Also what sched_ext keeps of each task. */
  sched_ext?: boolean | undefined;
}>;

export type Processes = Readonly<{
  processes: readonly ProcessRow[];
  total_processes: number;
  shown: number;
  sorted_by: string;
  detail_window_ms: number;
  totals: Readonly<Record<string, number>>;
}>;

const baselines = new WeakMap<Context, ProcessScan>();
const youngest_baseline_ms = 1000;
const oldest_baseline_ms = 60_000;

/**
 * The processes of the host and what each did in the window, in the order asked for.
 *
 * @throws TracewrightError FEATURE_UNAVAILABLE where /proc cannot be listed.
 */
export async function collectProcesses(
  ctx: Context,
  query: ProcessQuery,
  call: Call,
): Promise<Reading<Processes>> {
  const scans = await scanTwice(ctx, query.window_ms, call);
  const { before, after } = scans;
  const compared = compareScans(before, after);
  const { comm } = query;
  const uses =
    comm === undefined
      ? compared.uses
      : compared.uses.filter(({ now }) => now.comm.startsWith(comm));
  const measured = await measureChosen(ctx, uses, query, scans, call);
  const { details } = measured;
  const detailUses = new Map([...details].map(([pid, { use }]) => [pid, use]));
  const { places, unavailable } = readPlaces(ctx.files);
  const self = readSelf(ctx.files);
  const ext = query.sched_ext ? await readExtTasks(ctx, 0, call) : null;
  const rows = measured.chosen.map((use) => {
    const process = withFacts(ctx, use, details.get(use.now.pid));
    return processRow({ ...process, ext: extOf(ext, use.now.pid) }, places, self);
  });
  const fitting = page(rows, { limit: query.limit, offset: 0 });
  const window_ms = Math.round(after.started_ms - before.started_ms);
  return {
    data: {
      processes: fitting.rows,
      total_processes: after.processes.size,
      shown: fitting.rows.length,
      sorted_by: ranking[query.sort] + measured.ranked_among,
      detail_window_ms,
      ...(comm === undefined ? {} : { matching: uses.length }),
      totals: totalsOf(after, compared),
    },
    source:
      '/proc/PID/stat, /proc/PID/task/TID/{schedstat,sched}, /proc/PID/{status,cgroup,cmdline}',
    summary: [
      countLine(after, window_ms, compared),
      ...(comm === undefined ? [] : [`${uses.length} of them have a name that begins with it.`]),
      ...rankingLines(uses, detailUses),
    ],
    window_ms,
    ...restOf(query, fitting.rows.length, uses.length),
    warnings: [...measured.warnings, ...rowWarnings(fitting.rows)],
    unavailable: [
      ...unavailableFields(ctx, fitting.rows, ext),
      ...hiddenProcesses(ctx, after.unreadable.size),
      ...unavailable,
    ],
  };
}

type Scans = Readonly<{ before: ProcessScan; after: ProcessScan }>;

/** Two scans; the time of a pass counts into the window, so only the rest of it is slept. */
async function scanTwice(ctx: Context, window_ms: number | undefined, call: Call): Promise<Scans> {
  const before = baseline(ctx, window_ms) ?? (await scanProcesses(ctx, call));
  const end_ms = before.started_ms + (window_ms ?? default_window_ms);
  const rest_ms = end_ms - ctx.monotonicMs();
  if (rest_ms > 0) await ctx.sleep(rest_ms, call.signal);
  const after = await scanProcesses(ctx, call);
  if (ctx.settings.daemon) baselines.set(ctx, after);
  return { before, after };
}

function baseline(ctx: Context, window_ms: number | undefined): ProcessScan | undefined {
  const kept = baselines.get(ctx);
  if (!ctx.settings.daemon || window_ms !== undefined || kept === undefined) return undefined;
  const age_ms = ctx.monotonicMs() - kept.started_ms;
  return age_ms >= youngest_baseline_ms && age_ms <= oldest_baseline_ms ? kept : undefined;
}

type Chosen = Readonly<{
  chosen: readonly ProcessUse[];
  details: ReadonlyMap<number, Detail>;
  ranked_among: string;
  warnings: readonly string[];
}>;

/**
 * The page of processes with their details. An order that the scans do not give is found among the
 * processes that were active, which are measured first.
 */
async function measureChosen(
  ctx: Context,
  uses: readonly ProcessUse[],
  { sort, offset, limit }: ProcessQuery,
  { before, after }: Scans,
  call: Call,
): Promise<Chosen> {
  const waits = before.waits && after.waits;
  const byDetail = sort === 'switches' || sort === 'migrations' || (sort === 'wait' && !waits);
  const warnings: string[] = [];
  if (!waits && after.threads > max_waited_threads) {
    warnings.push(
      `With more than ${max_waited_threads} threads on the host, run queue wait is measured over ${detail_window_ms} ms and only for the rows shown${byDetail ? ' and the processes ranked' : ''}.`,
    );
  }
  const active = byDetail
    ? activeProcesses(uses, max_detail_threads, ({ now }) =>
        Math.min(now.threads, max_threads_per_process),
      )
    : { chosen: [], left_out: 0 };
  const first = await measureDetails(ctx, active.chosen, call);
  const firstUses = new Map([...first].map(([pid, { use }]) => [pid, use]));
  const chosen = rankProcesses(uses, sort, firstUses, offset + limit).slice(offset);
  const unmeasured = chosen.filter(({ now }) => !first.has(now.pid));
  const second = await measureDetails(ctx, unmeasured, call);
  if (active.left_out > 0) {
    warnings.push(
      `${active.left_out} active processes were not ranked: only the busiest with ${max_detail_threads} threads together are.`,
    );
  }
  return {
    chosen,
    details: new Map([...first, ...second]),
    ranked_among: byDetail
      ? ` (${detail_window_ms} ms), among the ${active.chosen.length} processes that ran, were runnable or began in the window`
      : '',
    warnings,
  };
}

/** Details and facts of another process that took over the pid since the scan are not this one's. */
function withFacts(ctx: Context, use: ProcessUse, detail: Detail | undefined): MeasuredProcess {
  const facts = readFacts(ctx, use.now.pid);
  if (facts.stat?.starttime_ticks !== use.now.starttime_ticks) {
    const none = { stat: null, status: null, cmdline: null, cgroup: null };
    return { use, detail: null, main: null, facts: none };
  }
  return { use, detail: detail?.use ?? null, main: detail?.main ?? null, facts };
}

function totalsOf(after: ProcessScan, { started, ended }: ScanComparison): Processes['totals'] {
  let running = 0;
  let uninterruptible = 0;
  let kernel_threads = 0;
  for (const { state, kernel_thread } of after.processes.values()) {
    if (state === 'R') running++;
    if (state === 'D') uninterruptible++;
    if (kernel_thread) kernel_threads++;
  }
  return {
    threads: after.threads,
    kernel_threads,
    running,
    uninterruptible,
    started_in_window: started,
    ended_in_window: ended,
    vanished_while_read: after.vanished,
    unreadable: after.unreadable.size,
  };
}

function countLine(after: ProcessScan, window_ms: number, compared: ScanComparison): string {
  const { running, kernel_threads } = totalsOf(after, compared);
  return (
    `${after.processes.size} processes (${kernel_threads} of them kernel threads), ${after.threads} threads, ` +
    `${running} ${running === 1 ? 'process' : 'processes'} runnable; measured over ${window_ms} ms.`
  );
}

function rowWarnings(rows: readonly ProcessRow[]): readonly string[] {
  const ended = rows.filter((row) => 'ended' in row).length;
  const capped = rows.filter((row) => 'threads_sampled' in row);
  return [
    ...(ended > 0 ? [`${ended} of the processes shown ended before their details were read.`] : []),
    ...(capped.length > 0
      ? [
          `Switches and migrations of ${capped.map(({ pid }) => pid).join(', ')} cover only their first threads (threads_sampled).`,
        ]
      : []),
  ];
}

function restOf(query: ProcessQuery, shown: number, matching: number) {
  const next_offset = query.offset + shown;
  if (next_offset >= matching || shown === 0) return {};
  const parameters = new URLSearchParams({ sort: query.sort, limit: String(query.limit) });
  if (query.comm !== undefined) parameters.set('comm', query.comm);
  if (query.sched_ext) parameters.set('sched_ext', 'true');
  parameters.set('offset', String(next_offset));
  return cut(
    { rows: [], total: matching, next_offset },
    `stats://aggregated/process?${parameters}`,
  );
}
