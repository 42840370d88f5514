import type { EventType } from '../../parsers/stream/stream.ts';
import type { NumberedEvent } from '../../parsers/stream/stream-json.ts';
import type { Call, Context } from '../context.ts';
import { row_budget_bytes } from '../page.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { inTurn } from '../serialize.ts';
import { tracingObstacle } from './bpftrace-tracer.ts';
import { lineSieve } from './event-lines.ts';
import { type EventQuery, type EventSieve, eventReader } from './event-reader.ts';
import { type EventSession, eventSession, noteLosses } from './event-session.ts';
import { objectSieve } from './event-sieve.ts';
import { stream_uri } from './event-types.ts';
import { eventsInWords } from './event-words.ts';

export type StreamQuery = Readonly<{
  /** The last number that the reader has seen; where it names none, the server keeps it. */
  after?: number | undefined;
  /** At most so many events; where it is given the answer may be long. */
  limit?: number | undefined;
  types?: readonly EventType[] | undefined;
  pid?: number | undefined;
  /** How long to wait for as many as asked for. */
  wait_ms?: number | undefined;
}>;

/**
 * Where a reader is. `seen` records lay behind its place: those delivered, those that its own
 * `types` and `pid` hide, and those dropped. `pending` are still to be read, from `next_seq` on.
 */
export type StreamPlace = Readonly<{
  next_seq: number;
  seen: number;
  delivered: number;
  hidden: number;
  dropped: Readonly<{ kernel_buffer: number; ring_overflow: number; unparsable: number }>;
  pending: number;
  state: StreamState;
  /** One task in so many was tracked: counts stand for so many times themselves. */
  sample: number;
}>;

export type StreamState = 'running' | 'restarting' | 'stopped';
export type StreamEvents = StreamPlace & Readonly<{ events: readonly NumberedEvent[] }>;

const default_limit = 200;
/** Room of an answer that was asked for so many events: some 4,000 of them. */
const most_bytes = 1024 * 1024;
const poll_ms = 50;

/** The events since the reader's place, in the order in which they came. Attaches nothing. */
export async function collectStream(
  ctx: Context,
  query: StreamQuery,
  call: Call,
): Promise<Reading<StreamEvents>> {
  const { made, place } = await read(ctx, query, objectSieve, call);
  const data = { ...place, events: made };
  return { ...eventsInWords(data), data, ...whatIsMissing(ctx, data, query.types ?? []) };
}

/** The same as JSON of one line each, as it stands in a JSON string, without a word about it. */
export async function collectStreamLines(
  ctx: Context,
  query: StreamQuery,
  call: Call,
): Promise<Readonly<{ pieces: readonly Buffer[]; place: StreamPlace }>> {
  const { made, place } = await read(ctx, query, lineSieve, call);
  return { pieces: made, place };
}

type Read<P> = Readonly<{ made: readonly P[]; place: StreamPlace }>;

async function read<P>(
  ctx: Context,
  query: StreamQuery,
  sieveOf: (wanted: EventQuery) => EventSieve<P>,
  call: Call,
): Promise<Read<P>> {
  // A start that came before has its turn first.
  await inTurn('events', () => Promise.resolve());
  if (query.after !== undefined) return await readBehind(ctx, query, query.after, sieveOf, call);
  const session = eventSession(ctx);
  const reader = placeOf(call.reader ?? session);
  const work = async (): Promise<Read<P>> => {
    const after = Math.max(reader.cursor, session.start);
    const answer = await readBehind(ctx, query, after, sieveOf, call);
    reader.cursor = answer.place.next_seq;
    return answer;
  };
  // Reads of one reader come one after another; who waits for events holds up nobody else.
  const turn = reader.turn.then(work, work);
  reader.turn = turn;
  return await turn;
}

type Place = { cursor: number; turn: Promise<unknown> };

const places = new WeakMap<object, Place>();

function placeOf(reader: object): Place {
  const place = places.get(reader) ?? { cursor: 0, turn: Promise.resolve() };
  places.set(reader, place);
  return place;
}

async function readBehind<P>(
  ctx: Context,
  query: StreamQuery,
  after: number,
  sieveOf: (wanted: EventQuery) => EventSieve<P>,
  call: Call,
): Promise<Read<P>> {
  const session = eventSession(ctx);
  const { ring, losses } = session;
  const { limit, types, pid = null, wait_ms = 0 } = query;
  const sieve = sieveOf({
    limit: limit ?? default_limit,
    bytes: limit === undefined ? row_budget_bytes : most_bytes,
    types: types ? new Set(types) : null,
    pid,
    showAddresses: ctx.settings.showAddresses ?? false,
    tasks: session.tasks,
  });
  const reader = eventReader(ring, after, sieve);
  const deadline_ms = ctx.monotonicMs() + wait_ms;
  await reader.advance(call.signal);
  while (!reader.isFull() && session.tracking !== null && ctx.monotonicMs() < deadline_ms) {
    await ctx.sleep(poll_ms, call.signal);
    await reader.advance(call.signal);
  }
  noteLosses(session);
  const { events, delivered, next_seq, hidden, ring_overflow, unparsable } = reader.slice();
  const kernel_buffer = losses.between(after, next_seq);
  const place: StreamPlace = {
    next_seq,
    seen: next_seq - after + kernel_buffer,
    delivered,
    hidden,
    dropped: { kernel_buffer, ring_overflow, unparsable },
    pending: Math.max(0, ring.last() - next_seq),
    state: streamState(session),
    sample: session.tracking?.filter.sample ?? 1,
  };
  return { made: events, place };
}

export function streamState({ tracking }: EventSession): StreamState {
  if (tracking === null) return 'stopped';
  return tracking.run !== null && tracking.run.pid() === null ? 'restarting' : 'running';
}

/** Why nothing comes, or nothing of a type. */
function whatIsMissing(ctx: Context, place: StreamPlace, types: readonly EventType[]) {
  const { tracking, ended } = eventSession(ctx);
  if (tracking === null) {
    if (place.seen + place.pending > 0) return {};
    const obstacle = tracingObstacle(ctx, stream_uri);
    const fix = 'control_event_tracking {"action": "start"}, or subscribe to events://stream';
    const reason =
      ended === null
        ? 'Nothing was tracked yet.'
        : `Tracking ended at ${ended.at}: ${ended.reason}.`;
    return { unavailable: [obstacle ?? { what: stream_uri, reason, fix }] };
  }
  const tracked = tracking.filter.types;
  const unavailable = types
    .filter((type) => !tracked.includes(type))
    .map((type): Unavailable => {
      const fix = `control_event_tracking {"action": "start", "types": "${[...tracked, type].join(',')}"}`;
      return { what: type, reason: 'It is not tracked at the moment.', fix };
    });
  return unavailable.length === 0 ? {} : { unavailable };
}
