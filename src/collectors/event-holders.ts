import type { EventType } from '../../parsers/stream/stream.ts';
import type { Call, Context } from '../context.ts';
import { inTurn } from '../serialize.ts';
import {
  type EventSession,
  eventSession,
  release,
  startTracking,
  stopTracking,
} from './event-session.ts';
import type { EventFilter } from './event-tracer.ts';
import { chooseTypes } from './event-types.ts';
import { wholeFilter } from './whole-filter.ts';

/** However many want it, tracking ends so long after its start. */
export const longest_tracking_ms = 3_600_000;

/**
 * Joins whoever is there already; the first one starts tracking, of `types` or of the default ones.
 * Rejects where nothing can be tracked.
 */
export function joinStream(
  ctx: Context,
  subscriber: object,
  types: readonly EventType[] | null,
  call: Call,
): Promise<void> {
  return inTurn('events', async () => {
    const session = eventSession(ctx);
    if (session.tracking === null) {
      const chosen = await chooseTypes(ctx, types, call);
      await startTracking(ctx, wholeFilter(chosen.types), call);
    }
    session.subscribers.add(subscriber);
    await review(ctx);
  });
}

/** The last one to leave has tracking end, unless a tool asked for it to go on. */
export function leaveStream(ctx: Context, subscriber: object): Promise<void> {
  return inTurn('events', async () => {
    eventSession(ctx).subscribers.delete(subscriber);
    await review(ctx);
  });
}

/** Tracks for so long, with what is attached already or with another filter. In turn. */
export async function holdStream(
  ctx: Context,
  filter: EventFilter,
  duration_ms: number,
  call: Call,
): Promise<void> {
  await startTracking(ctx, filter, call);
  eventSession(ctx).tool_until_ms = ctx.monotonicMs() + duration_ms;
  await review(ctx);
}

/** Milliseconds until tracking ends by itself; 0 where nobody wants it, or nothing is tracked. */
export function timeLeft(ctx: Context, session: EventSession): number {
  const { tracking, subscribers, tool_until_ms } = session;
  if (tracking === null) return 0;
  const end_ms = tracking.started_ms + longest_tracking_ms;
  const until_ms = subscribers.size > 0 ? end_ms : Math.min(tool_until_ms ?? 0, end_ms);
  return Math.max(0, until_ms - ctx.monotonicMs());
}

/** Ends what nobody wants any more, or sets the time for the next look. */
async function review(ctx: Context): Promise<void> {
  const session = eventSession(ctx);
  if (session.tracking === null) return;
  const left_ms = timeLeft(ctx, session);
  if (left_ms > 0) {
    const look = (): void => void inTurn('events', () => review(ctx));
    clearTimeout(session.deadline);
    session.deadline = setTimeout(look, left_ms).unref();
    return;
  }
  const isOver = session.tool_until_ms !== null || session.subscribers.size > 0;
  await stopTracking(ctx, isOver ? 'time limit' : 'the last subscriber left');
  if (!isOver) release(session);
}
