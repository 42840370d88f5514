import { ParseError } from '../../parsers/parsed.ts';
import type { Json } from '../../parsers/scx-stats/exact-json.ts';
import { parseScxStats } from '../../parsers/scx-stats/scx-stats.ts';
import type { Call, Context } from '../context.ts';
import type { NoReply, UnixLines } from '../sockets/unix-lines.ts';

/** `error`: the scheduler said no. `foreign`: what answered does not speak scx_stats. */
export type StatsFailure = Readonly<{
  ok: false;
  why: NoReply | 'error' | 'foreign';
  detail: string;
  path: string;
}>;

export type StatsAnswer = Readonly<{
  ok: true;
  resp: Json;
  /** Paths of integers that stand as decimal text. */
  exact: readonly string[];
  at_ms: number;
  path: string;
}>;

export type StatsSession = Readonly<{
  lines: UnixLines;
  /** When each target last answered: its counters count from there. */
  answered: Map<string, number>;
}>;

const sessions = new WeakMap<Context, StatsSession>();

/**
 * Does work on a connection to the scheduler, the kept one where there is one. A connection that the
 * peer ended is replaced once: a restarted scheduler is another process on the same path. `keep`
 * false: a connection of its own, closed afterwards.
 */
export async function withStats<T extends Readonly<{ ok: true }>>(
  ctx: Context,
  keep: boolean,
  work: (session: StatsSession) => Promise<T | StatsFailure>,
): Promise<T | StatsFailure> {
  const first = await once(ctx, keep, work);
  return first.ok || first.why !== 'ended' ? first : await once(ctx, keep, work);
}

async function once<R>(
  ctx: Context,
  keep: boolean,
  work: (session: StatsSession) => Promise<R>,
): Promise<R> {
  const kept = keep ? sessions.get(ctx) : undefined;
  const session = kept?.lines.open()
    ? kept
    : { lines: ctx.connectStats(), answered: new Map<string, number>() };
  if (keep) sessions.set(ctx, session);
  try {
    return await work(session);
  } finally {
    if (!keep) session.lines.close();
  }
}

/** One request to the scheduler and its answer. Rejects when the call is canceled. */
export async function askStats(
  ctx: Context,
  session: StatsSession,
  request: Readonly<{ req: string; args?: Readonly<Record<string, string>> }>,
  call: Call,
  timeout_ms?: number,
): Promise<StatsAnswer | StatsFailure> {
  const { lines } = session;
  const { path } = lines;
  const reply = await lines.request(JSON.stringify(request), { signal: call.signal, timeout_ms });
  call.signal.throwIfAborted();
  const at_ms = ctx.monotonicMs();
  if (!reply.ok) return { ...reply, path };
  try {
    const stats = parseScxStats(reply.line);
    if (stats.ok) return { ...stats, at_ms, path };
    const detail = [stats.message, ...stats.causes].join(': ');
    return { ok: false, why: 'error', detail, path };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    lines.close();
    return { ok: false, why: 'foreign', detail: error.message, path };
  }
}
