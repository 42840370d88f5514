import type { Call, Context } from '../context.ts';
import { type CollectionCost, type CostReading, costBetween, readCost } from './collection-cost.ts';
import { type CollectionTracer, type CountsAt, startCollection } from './collection-tracer.ts';
import { ownPid, pidsDiffer } from './traced-process.ts';

type EndedBy = 'request' | 'time_limit' | 'tracer_ended';

type Session = {
  readonly tracer: CollectionTracer;
  readonly limit_ms: number;
  /** When the time limit strikes. */
  readonly ends_ms: number;
  readonly timer: NodeJS.Timeout;
  /** What had been counted when the statistics began. */
  begin: CountsAt;
  begin_cost: CostReading;
  /** The last that was read; final once it has ended. */
  last: CountsAt;
  last_cost: CostReading;
  ended_by: EndedBy | null;
  ending: Promise<void> | null;
};

/** What the statistics cover. */
export type Collected = Readonly<{
  before: CountsAt;
  after: CountsAt;
  window_ms: number;
  cost: CollectionCost;
  map_keys: number;
  attached: readonly string[];
  /** This server and its bpftrace; null in a PID namespace, where they have other numbers. */
  own: ReadonlySet<number> | null;
  limit_ms: number;
  /** Null once it has ended. */
  ends_in_ms: number | null;
  ended_by: EndedBy | null;
}>;

export type RunningCollection = Readonly<{
  attached: readonly string[];
  limit_ms: number;
  ends_in_ms: number;
}>;

type State = { session: Session | null; was_reset: boolean };

const states = new WeakMap<Context, State>();

function stateOf(ctx: Context): State {
  const known = states.get(ctx);
  if (known) return known;
  const state: State = { session: null, was_reset: false };
  states.set(ctx, state);
  return state;
}

/** The collection that runs, without reading it; null where none does. */
export function runningCollection(ctx: Context): RunningCollection | null {
  const { session } = stateOf(ctx);
  if (!session || session.ended_by !== null || session.ending !== null) return null;
  const { tracer, limit_ms, ends_ms } = session;
  const ends_in_ms = Math.max(0, ends_ms - ctx.monotonicMs());
  return { attached: tracer.attached, limit_ms, ends_in_ms };
}

/** Whether what an ended collection had counted was thrown away. */
export const wasReset = (ctx: Context): boolean => stateOf(ctx).was_reset;

/** Attaches and begins to count, for `duration_ms` at most. Not to be called while it collects. */
export async function openCollection(ctx: Context, duration_ms: number, call: Call): Promise<void> {
  await stateOf(ctx).session?.ending;
  const tracer = await startCollection(ctx, duration_ms, call);
  try {
    const begin = await tracer.read(call.signal);
    const cost = readCost(ctx, tracer.pid);
    const timer = setTimeout(() => void endCollection(ctx, 'time_limit'), duration_ms).unref();
    const session: Session = {
      tracer,
      limit_ms: duration_ms,
      ends_ms: begin.at_ms + duration_ms,
      timer,
      begin,
      begin_cost: cost,
      last: begin,
      last_cost: cost,
      ended_by: null,
      ending: null,
    };
    const state = stateOf(ctx);
    state.session = session;
    state.was_reset = false;
    void tracer.finished.then(() => noteEnd(session));
  } catch (thrown) {
    await tracer.stop();
    throw thrown;
  }
}

/** Reads the counts a last time and lets go of the kernel. They stay until the next one begins. */
export async function endCollection(ctx: Context, by: EndedBy): Promise<void> {
  const { session } = stateOf(ctx);
  if (!session || session.ended_by !== null) return;
  session.ending ??= finish(ctx, session, by);
  await session.ending;
}

async function finish(ctx: Context, session: Session, by: EndedBy): Promise<void> {
  clearTimeout(session.timer);
  // A bpftrace that hangs is ended all the same; what it told last is kept.
  await refresh(ctx, session, new AbortController().signal).catch(() => {});
  session.ended_by ??= by;
  await session.tracer.stop();
}

/** Begins the statistics anew. What an ended collection had counted is gone. */
export async function resetCollection(ctx: Context, call: Call): Promise<void> {
  const state = stateOf(ctx);
  const { session } = state;
  if (!session) return;
  await bringUpToDate(ctx, session, call);
  if (session.ended_by === null) {
    session.begin = session.last;
    session.begin_cost = session.last_cost;
  } else {
    state.session = null;
    state.was_reset = true;
  }
}

/** What was counted since the statistics began; null where nothing was. */
export async function collected(ctx: Context, call: Call): Promise<Collected | null> {
  const { session } = stateOf(ctx);
  if (!session) return null;
  await bringUpToDate(ctx, session, call);
  const { tracer, begin, last, begin_cost, last_cost, limit_ms, ended_by } = session;
  return {
    before: begin,
    after: last,
    window_ms: Math.max(0, Math.round(last.at_ms - begin.at_ms)),
    cost: costBetween(begin_cost, last_cost),
    map_keys: tracer.map_keys,
    attached: tracer.attached,
    own: pidsDiffer(ctx) ? null : new Set([ownPid(ctx) ?? tracer.pid, tracer.pid]),
    limit_ms,
    ends_in_ms: ended_by === null ? Math.max(0, session.ends_ms - ctx.monotonicMs()) : null,
    ended_by,
  };
}

/** Reads the counts of a collection that runs. One that ends meanwhile stays as it told last. */
async function bringUpToDate(ctx: Context, session: Session, call: Call): Promise<void> {
  await session.ending;
  if (session.ended_by !== null) return;
  await refresh(ctx, session, call.signal).catch((thrown: unknown) => {
    if (session.ended_by === null) throw thrown;
  });
}

async function refresh(ctx: Context, session: Session, signal: AbortSignal): Promise<void> {
  session.last = await session.tracer.read(signal);
  session.last_cost = readCost(ctx, session.tracer.pid);
}

/** bpftrace has ended, and not because we wanted it: what it told last is what there is. */
function noteEnd(session: Session): void {
  clearTimeout(session.timer);
  if (session.ending !== null) return;
  session.ended_by ??= 'tracer_ended';
}
