import { type CallTree, callTree } from '../analysis/call-tree.ts';
import type { Profile } from '../analysis/profile.ts';
import { rankSymbols, type SymbolWeight } from '../analysis/profile-symbols.ts';
import type { Call, Context } from '../context.ts';
import { cut, page, row_budget_bytes } from '../page.ts';
import type { Reading } from '../reading.ts';
import type { Kept } from './profile-captures.ts';
import { expectedSamples, isShort, shortfall } from './profile-expectation.ts';
import { addStacks, type SymbolRow, symbolRows } from './profile-rows.ts';
import type { Outcome, Session } from './profile-session.ts';
import { type ProfileShares, profileShares } from './profile-shares.ts';
import { secondsLeft, statusOf } from './profile-status.ts';
import { findSymbols } from './profile-symbol-search.ts';
import { profileGaps, profileSummary, profileWarnings } from './profile-words.ts';
import { currentSession, settled } from './profiler.ts';
import type { RecordedProfile } from './recorded-profile.ts';

export type ResultsQuery = Readonly<{
  limit: number;
  offset: number;
  include_stacks: boolean;
  sort: 'self' | 'total';
  /** Tells of one function and its callers. */
  symbol?: string | undefined;
}>;

export type ProfileResults = Readonly<{
  /** Null where there is no profile to tell of. */
  symbols: readonly SymbolRow[] | null;
  call_tree?: Omit<CallTree, 'name'>;
  total_samples: number | null;
  /** What a clock takes of whole CPUs; null for processes and other events. */
  expected_samples: number | null;
  samples_collected: number;
  kernel_pct: ProfileShares['kernel_pct'];
  user_pct: ProfileShares['user_pct'];
  idle_pct: ProfileShares['idle_pct'];
  without_stack_pct: ProfileShares['without_stack_pct'];
  lost_samples: number;
  by_process: ProfileShares['by_process'] | null;
  by_cpu: ProfileShares['by_cpu'] | null;
  status: 'Idle' | 'Running' | 'Stopped';
  event: string | null;
  requested_event: string | null;
  /** Null where every event was recorded. */
  freq_hz: number | null;
  window_ms: number | null;
}> &
  Partial<Kept>;

/** Kept for stacks however long the names of the functions are. */
const stack_bytes = 8_000;
/** The heaviest stacks of the hottest functions: more of them are in the capture. */
const most_stack_bytes = 12_000;
const tree_bytes = 14_000;
const narrower = [
  { depth: 5, width: 4, path: 16, min_pct: 1 },
  { depth: 3, width: 3, path: 10, min_pct: 2 },
  { depth: 1, width: 3, path: 6, min_pct: 5 },
];

/**
 * The functions of the last profile, hottest first, with callers and stacks; or the caller tree of
 * one function. While a profile runs, or without one, the data is null with the reason and the time
 * to wait. Source: perf record, perf script.
 */
export async function collectProfileResults(
  ctx: Context,
  query: ResultsQuery,
  call: Call,
): Promise<Reading<ProfileResults>> {
  const session = currentSession(ctx);
  if (session === null) return nothing('No profile was started.', 'start_perf_profiling');
  if (session.duration_ms === null) return stillRunning(ctx, session);
  call.progress('reading the recording');
  await settled(session, call.signal);
  const { outcome } = session;
  if (outcome === null) return nothing('The recording is not read yet.', null);
  if ('failure' in outcome) throw outcome.failure;
  return results(ctx, session, outcome, query);
}

function results(
  ctx: Context,
  session: Session,
  { recorded, keeping }: Extract<Outcome, { recorded: RecordedProfile }>,
  query: ResultsQuery,
): Reading<ProfileResults> {
  const { profile } = recorded;
  const ranked = rankSymbols(profile, query.sort);
  const chosen = query.symbol === undefined ? ranked : findSymbols(profile, ranked, query.symbol);
  const tree = query.symbol === undefined ? null : treeOf(profile, chosen);
  const rows = symbolRows(
    profile,
    chosen.slice(query.offset, query.offset + query.limit),
    ctx.settings.showAddresses ?? false,
  );
  const budget = row_budget_bytes - (tree ? Buffer.byteLength(JSON.stringify(tree)) : 0);
  const rest = query.include_stacks ? stack_bytes : 0;
  const fitting = page(
    rows.map(({ row }) => row),
    { limit: query.limit, offset: 0 },
    budget - rest,
  );
  const used = Buffer.byteLength(JSON.stringify(fitting.rows));
  const shown = rows.slice(0, fitting.rows.length);
  const symbols = query.include_stacks
    ? addStacks(profile, shown, Math.min(most_stack_bytes, budget - used))
    : fitting.rows;
  const end = query.offset + symbols.length;
  const next_offset = end < chosen.length ? end : null;
  const expected_samples = expectedSamples(ctx, session, recorded);
  const data = {
    symbols,
    ...(tree ? { call_tree: tree } : {}),
    total_samples: recorded.samples,
    expected_samples,
    ...profileShares(profile, session.user_only, !isShort(recorded.samples, expected_samples)),
    ...statusFields(ctx, session, recorded),
    ...keeping.kept,
  };
  return {
    data,
    source: 'perf record, perf script',
    summary: profileSummary(session, profile, data, chosen, tree),
    ...(data.window_ms === null ? {} : { window_ms: data.window_ms }),
    ...cut(
      { rows: symbols, total: chosen.length, next_offset },
      `get_perf_results with offset=${next_offset}`,
    ),
    lost_events: data.lost_samples,
    links: keeping.links,
    warnings: [
      ...keeping.warnings,
      ...profileWarnings(session, recorded),
      ...shortfall(recorded.samples, expected_samples),
    ],
    unavailable: profileGaps(session, profile),
  };
}

/** The tree of callers, pruned until it fits. */
function treeOf(profile: Profile, chosen: readonly SymbolWeight[]): Omit<CallTree, 'name'> {
  const wanted = chosen.map(({ symbol }) => symbol);
  let tree = callTree(profile, wanted);
  for (const limits of narrower) {
    if (Buffer.byteLength(JSON.stringify(tree)) <= tree_bytes) break;
    tree = callTree(profile, wanted, limits);
  }
  const { name: _name, ...rest } = tree;
  return rest;
}

function statusFields(ctx: Context, session: Session, { cut: isCut, span_ms }: RecordedProfile) {
  const { status, samples_collected, lost_samples, mode, event, requested_event } = statusOf(
    ctx,
    session,
  );
  return {
    samples_collected,
    lost_samples,
    status,
    event,
    requested_event,
    freq_hz: mode === 'tracing' ? null : session.config.freq,
    window_ms: isCut ? span_ms : session.duration_ms,
  };
}

const no_results: ProfileResults = {
  symbols: null,
  total_samples: null,
  expected_samples: null,
  samples_collected: 0,
  kernel_pct: null,
  user_pct: null,
  idle_pct: null,
  without_stack_pct: null,
  lost_samples: 0,
  by_process: null,
  by_cpu: null,
  status: 'Idle',
  event: null,
  requested_event: null,
  freq_hz: null,
  window_ms: null,
};

function nothing(reason: string, fix: string | null): Reading<ProfileResults> {
  return {
    data: no_results,
    source: 'perf record',
    summary: [reason],
    unavailable: [{ what: 'symbols', reason, fix }],
  };
}

function stillRunning(ctx: Context, session: Session): Reading<ProfileResults> {
  const left = secondsLeft(ctx, session);
  const reason = `The profile still runs, for ${left} s at most; its stacks are read when it ends.`;
  const { status, samples_collected, lost_samples, event, requested_event } = statusOf(
    ctx,
    session,
  );
  return {
    data: { ...no_results, status, samples_collected, lost_samples, event, requested_event },
    source: 'perf record',
    summary: [reason, 'Wait, or call stop_perf_profiling, then ask again.'],
    unavailable: [{ what: 'symbols', reason, fix: 'stop_perf_profiling' }],
  };
}
