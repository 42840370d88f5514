import type { Call, Context } from '../context.ts';
import type { Reading } from '../reading.ts';
import { schedExtState } from './sched-ext.ts';
import { changeInWords, changeSince } from './scheduler-change.ts';
import { loadedScheduler } from './scx-stats-absence.ts';
import {
  noStats,
  reportStats,
  type SchedulerStats,
  type StatsKind,
  type StatsMeasured,
  type StatsRequest,
} from './scx-stats-report.ts';
import {
  askStats,
  type StatsAnswer,
  type StatsFailure,
  type StatsSession,
  withStats,
} from './scx-stats-session.ts';

const default_window_ms = 1000;
/** scx_lavd sleeps up to a second inside a request for samples. */
const samples_timeout_ms = 5000;

/**
 * What the loaded scheduler tells over scx_stats. Most schedulers count from request to request on a
 * connection, so the first answer is a baseline and only the second one is shown, with its window.
 * INVALID_PARAMS for a target or a path that does not exist.
 */
export async function collectSchedulerStats(
  ctx: Context,
  request: StatsRequest,
  call: Call,
): Promise<Reading<SchedulerStats>> {
  const scheduler = loadedScheduler(ctx);
  const single = scheduler !== null && /^(?:scx_)?lavd$/.test(scheduler.name);
  const kind = kindOf(scheduler?.name ?? '', request.target);
  const before = schedExtState(ctx);
  const measured = await withStats(ctx, ctx.settings.daemon && !single, async (session) => {
    return await measure(ctx, session, request, kind, call);
  });
  const change = await changeSince(ctx, before, call);
  const changed = change === null ? [] : [changeInWords(change)];
  // A connection that broke was made anew: what answered is the scheduler of now.
  const named = { scheduler: loadedScheduler(ctx)?.ops ?? null, target: request.target };
  const warnings = single ? [lavd_warning] : [];
  const reading = measured.ok
    ? reportStats(ctx, measured, request, named, warnings)
    : noStats(ctx, measured, request, named, warnings);
  return { ...reading, warnings: [...changed, ...(reading.warnings ?? [])] };
}

// The monitor of scx_lavd 1.1.4 prints one error and connects again; what it then preempts is us.
const lavd_warning =
  'scx_lavd serves one sampler at a time: this read interrupted any running `scx_lavd --monitor` ("preempted by another sampler"). One that does not connect again by itself has to be restarted.';

function kindOf(scheduler: string, target: string): StatsKind {
  if (target === 'sched_samples') return 'samples';
  return /^(?:scx_)?mitosis$/.test(scheduler) ? 'absolute' : 'delta';
}

async function measure(
  ctx: Context,
  session: StatsSession,
  request: StatsRequest,
  kind: StatsKind,
  call: Call,
): Promise<StatsMeasured | StatsFailure> {
  const { target, nr_samples } = request;
  const args = { target, ...(nr_samples === undefined ? {} : { nr_samples: String(nr_samples) }) };
  const ask = async (): Promise<StatsAnswer | StatsFailure> => {
    const timeout_ms = kind === 'samples' ? samples_timeout_ms : undefined;
    const answer = await askStats(ctx, session, { req: 'stats', args }, call, timeout_ms);
    if (answer.ok) session.answered.set(target, answer.at_ms);
    return answer;
  };

  let since_ms: number | null = null;
  if (kind === 'delta') {
    const baseline = await takeBaseline(session, request, ask);
    if (typeof baseline !== 'number') return baseline;
    const rest_ms = baseline + (request.window_ms ?? default_window_ms) - ctx.monotonicMs();
    if (rest_ms > 0) await ctx.sleep(rest_ms, call.signal);
    since_ms = baseline;
  }
  const stats = await ask();
  if (!stats.ok) return stats;
  const meta =
    request.meta === 'false' ? null : await askStats(ctx, session, { req: 'stats_meta' }, call);
  const window_ms = since_ms === null ? null : Math.round(stats.at_ms - since_ms);
  return { ok: true, stats, meta, kind, window_ms };
}

/** When the counters of the target began: at its last answer, or at one that is asked for now. */
async function takeBaseline(
  session: StatsSession,
  { target, window_ms }: StatsRequest,
  ask: () => Promise<StatsAnswer | StatsFailure>,
): Promise<number | StatsFailure> {
  const kept = window_ms === undefined ? session.answered.get(target) : undefined;
  if (kept !== undefined) return kept;
  const answer = await ask();
  return answer.ok ? answer.at_ms : answer;
}
