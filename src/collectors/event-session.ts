import { type TaskWords, taskWords } from '../../parsers/stream/short-records.ts';
import type { EventType } from '../../parsers/stream/stream.ts';
import type { Call, Context } from '../context.ts';
import { inTurn } from '../serialize.ts';
import { type AlertGate, alertGate } from './event-alerts.ts';
import { type CostMeter, costMeter } from './event-cost.ts';
import { type LossLog, lossLog } from './event-losses.ts';
import { type EventRing, eventRing } from './event-ring.ts';
import { type EventRun, startRun } from './event-run.ts';
import { eventTicker, ownEvent } from './event-ticker.ts';
import type { EventFilter } from './event-tracer.ts';
import { ownTypes } from './event-types.ts';

/** One tracking, from the moment when its program is attached. */
export type Tracking = Readonly<{
  filter: EventFilter;
  started_at: string;
  started_ms: number;
  /** The number of its first record, and what had been lost until then. */
  first_seq: number;
  lost_before: number;
  /** Null where only events of this server are tracked. */
  run: EventRun | null;
  meter: CostMeter;
  timer: NodeJS.Timeout;
}>;

/** The stream of one server: its records, who wants them, and what makes them. */
export type EventSession = {
  readonly ring: EventRing;
  /** What stands for the tasks in records of the ring. */
  readonly tasks: TaskWords;
  readonly losses: LossLog;
  readonly alerts: AlertGate;
  /** Where a reader begins that names no place and has not read this tracking yet. */
  start: number;
  tracking: Tracking | null;
  /** Why and when the last tracking ended. */
  ended: Readonly<{ reason: string; at: string }> | null;
  /** Until when a tool wants tracking to go on, on the monotonic clock. */
  tool_until_ms: number | null;
  readonly subscribers: Set<object>;
  /** Told when there is something new. */
  readonly listeners: Set<() => void>;
  /** Takes lines of the program that are no records. */
  control(line: string): void;
  /** When tracking ends, or when what was tracked is let go. */
  deadline: NodeJS.Timeout | undefined;
};

/** Seconds of a fast stream; a server from which a client reads all of it stays below 200 MB. */
const capacity_bytes = 32 * 1024 * 1024;
const tick_ms = 1000;
/** Records stay so long after the end of a tracking, for whoever still wants to read them. */
const keep_ms = 300_000;
/** The first letter of what the kernel program finds conspicuous, which is no record. */
const candidate_byte = 97;

const sessions = new WeakMap<Context, EventSession>();

export function eventSession(ctx: Context): EventSession {
  const before = sessions.get(ctx);
  if (before) return before;
  const tasks = taskWords();
  const session: EventSession = {
    ring: eventRing({
      capacity_bytes,
      now: ctx.monotonicMs,
      control: (line) => {
        if (!tasks.learn(line)) session.control(line);
      },
      isControl: (byte) => byte === candidate_byte,
    }),
    tasks,
    losses: lossLog(),
    alerts: alertGate(),
    start: 0,
    tracking: null,
    ended: null,
    tool_until_ms: null,
    subscribers: new Set(),
    listeners: new Set(),
    control: () => {},
    deadline: undefined,
  };
  sessions.set(ctx, session);
  return session;
}

/**
 * Attaches what the filter asks for, in place of what was tracked before. Records go on to be
 * numbered; those of a tracking that had ended are let go. Rejects where nothing can be attached.
 * Like everything that starts or stops, to be called in the turn of the events queue.
 */
export async function startTracking(ctx: Context, filter: EventFilter, call: Call): Promise<void> {
  const session = eventSession(ctx);
  const { ring, losses } = session;
  if (session.tracking !== null) await stopTracking(ctx, 'replaced by another filter');
  else {
    release(session);
    session.start = ring.last();
  }
  const started_at = ctx.now().toISOString();
  const started_ms = ctx.monotonicMs();
  const first_seq = ring.last() + 1;
  const lost_before = losses.total();
  keepForAWhile(session);
  emit(session, ownEvent(ctx, 'trace_started', { time: started_at, ...inForce(filter) }));
  const run = await attach(ctx, session, filter, call).catch((thrown: unknown) => {
    emit(session, ownEvent(ctx, 'trace_stopped', { reason: 'nothing could be attached' }));
    throw thrown;
  });
  clearTimeout(session.deadline);
  const meter = costMeter(ctx, ring.last, () => run?.pid() ?? null);
  const timer = setInterval(ticking(ctx, session, filter.types, meter), tick_ms).unref();
  session.tracking = { filter, started_at, started_ms, first_seq, lost_before, run, meter, timer };
  session.ended = null;
}

/** Detaches, takes in what was still on its way, and says so in the stream, which stays for a while. */
export async function stopTracking(ctx: Context, reason: string): Promise<void> {
  const session = eventSession(ctx);
  const { tracking } = session;
  if (tracking === null) return;
  clearInterval(tracking.timer);
  clearTimeout(session.deadline);
  tracking.meter.step();
  await tracking.run?.stop();
  noteLosses(session);
  const lost = session.losses.total() - tracking.lost_before;
  const seen = session.ring.last() + 1 - tracking.first_seq + lost;
  session.tracking = null;
  session.tool_until_ms = null;
  session.control = () => {};
  session.ended = { reason, at: ctx.now().toISOString() };
  const { tracer_cpu_s, server_cpu_s } = tracking.meter.cost();
  emit(session, ownEvent(ctx, 'trace_stopped', { reason, seen, lost, tracer_cpu_s, server_cpu_s }));
  keepForAWhile(session);
}

/** Lets go of the records, and of the memory that they took. */
export function release({ deadline, ring }: EventSession): void {
  clearTimeout(deadline);
  ring.release();
}

/** The parts of a filter that leave something out. */
export function inForce({ types, ...narrowed }: EventFilter) {
  const isSet = (name: string, value: unknown) => value !== (name === 'sample' ? 1 : null);
  const set = Object.entries(narrowed).filter(([name, value]) => isSet(name, value));
  return { types, filter: Object.fromEntries(set) };
}

function keepForAWhile(session: EventSession): void {
  clearTimeout(session.deadline);
  session.deadline = setTimeout(() => release(session), keep_ms).unref();
}

/** What was lost so far belongs to the place where the stream is now. */
export function noteLosses({ ring, losses, tracking }: EventSession): void {
  if (tracking === null) return;
  losses.note(ring.last() + 1, tracking.lost_before + (tracking.run?.lost() ?? 0));
}

async function attach(
  ctx: Context,
  session: EventSession,
  filter: EventFilter,
  call: Call,
): Promise<EventRun | null> {
  const types = filter.types.filter((type) => !ownTypes.has(type));
  if (types.length === 0) return null;
  const { ring } = session;
  const push = (bytes: Buffer): void => {
    ring.push(bytes);
    tell(session);
  };
  const run = await startRun(
    ctx,
    { ...filter, types },
    {
      ring: { ...ring, push },
      controls(take) {
        session.control = take;
      },
      candidate(found) {
        const alert = session.alerts.judge(found, ctx.monotonicMs());
        if (alert !== null) emit(session, alert);
      },
      interrupted(reason, back) {
        const event = back
          ? ownEvent(ctx, 'trace_started', { restarted: true })
          : ownEvent(ctx, 'trace_stopped', { reason, restarting: true });
        emit(session, event);
      },
      failed(reason) {
        void inTurn('events', async () => {
          if (session.tracking?.run === run) await stopTracking(ctx, reason);
        });
      },
    },
    call,
  );
  return run;
}

/** What happens each second while something is tracked. */
function ticking(
  ctx: Context,
  session: EventSession,
  types: readonly EventType[],
  meter: CostMeter,
): () => void {
  const wanted = new Set(types);
  const poll = eventTicker(ctx);
  const call = { signal: new AbortController().signal, progress: () => {} };
  let isBusy = false;
  const tick = async (): Promise<void> => {
    noteLosses(session);
    meter.step();
    const events = await poll(call);
    if (session.tracking?.meter !== meter) return;
    for (const event of events) if (wanted.has(event.type)) emit(session, event);
  };
  return () => {
    if (isBusy) return;
    isBusy = true;
    // A file that cannot be read is left out of one second's event.
    void tick()
      .catch(() => {})
      .finally(() => {
        isBusy = false;
      });
  };
}

function emit(session: EventSession, event: object): void {
  session.ring.add(event);
  tell(session);
}

function tell({ listeners }: EventSession): void {
  for (const listener of listeners) listener();
}
