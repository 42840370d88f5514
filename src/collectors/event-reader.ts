import { parseStreamRecord, type StreamEvent } from '../../parsers/stream/stream.ts';
import {
  type NumberedEvent,
  numbered,
  streamRecordJson,
} from '../../parsers/stream/stream-json.ts';
import type { RawRecord } from './event-records.ts';
import type { EventRing } from './event-ring.ts';
import { nextTurn } from './next-turn.ts';

/** What a reader wants of the records behind `after`. */
export type EventQuery = Readonly<{
  after: number;
  limit: number;
  /** Room for the events as JSON. */
  bytes: number;
  types: ReadonlySet<string> | null;
  pid: number | null;
}>;

/**
 * The records behind `after` up to `next_seq`. Each of them is one of the events, hidden by what
 * the reader asked for, or dropped.
 */
export type EventSlice<P> = Readonly<{
  events: readonly P[];
  delivered: number;
  next_seq: number;
  hidden: number;
  ring_overflow: number;
  unparsable: number;
}>;

/** What a reader gets for a record, and for an event that was looked at already. */
export type EventForm<T, P> = Readonly<{
  /** Packs what one step made: thousands of small things cost time as long as they live. */
  pack(made: readonly T[]): readonly P[];
  /** Null where the record makes no sense. */
  ofRecord(seq: number, record: RawRecord): T | null;
  ofEvent(event: NumberedEvent): T;
  bytes(made: T): number;
}>;

export const asEvents: EventForm<NumberedEvent, NumberedEvent> = {
  pack: (events) => events,
  ofRecord(seq, record) {
    const event = parse(record);
    return event === null ? null : numbered(seq, event);
  },
  ofEvent: (event) => event,
  bytes: (event) => JSON.stringify(event).length + 1,
};

/** One line of JSON each, many lines in a text, and `pack` says what becomes of that. */
export const asLines = <P>(pack: (text: string) => P): EventForm<string, P> => ({
  pack: (lines) => [pack(`${lines.join('\n')}\n`)],
  ofRecord: (seq, { own, text }) =>
    own ? `{"seq":${seq},${text.slice(1)}` : streamRecordJson(seq, text),
  ofEvent: (event) => JSON.stringify(event),
  bytes: (line) => line.length + 1,
});

export type EventReader<P> = Readonly<{
  /** Reads on as far as there is something and the reader wants more. */
  advance(signal: AbortSignal): Promise<void>;
  isFull(): boolean;
  slice(): EventSlice<P>;
}>;

export function eventReader<T, P>(
  ring: EventRing,
  query: EventQuery,
  form: EventForm<T, P>,
): EventReader<P> {
  const sieve = eventSieve(query, form);
  let at = query.after;
  let ring_overflow = 0;

  function step(): boolean {
    const { missed, records } = ring.read(at);
    ring_overflow += missed;
    at += missed;
    for (const record of records) {
      if (sieve.isFull() || !sieve.take(at + 1, record)) break;
      at += 1;
    }
    sieve.pack();
    return records.length > 0;
  }

  return {
    async advance(signal) {
      while (!sieve.isFull() && step()) await nextTurn(signal);
    },
    isFull: sieve.isFull,
    slice: () => ({ ...sieve.result(), next_seq: at, ring_overflow }),
  };
}

/** Records that one answer looks at in search of what the reader wants. */
const most_records = 500_000;

function eventSieve<T, P>(query: EventQuery, form: EventForm<T, P>) {
  const { limit, types, pid } = query;
  const events: P[] = [];
  let loose: T[] = [];
  let delivered = 0;
  let hidden = 0;
  let unparsable = 0;
  let bytes = 0;
  let full = limit <= 0;
  const isPicky = types !== null || pid !== null;
  const isWanted = (event: StreamEvent): boolean =>
    (types === null || types.has(event.type)) && (pid === null || isAbout(event, pid));

  /** Whether there was room for it; the first one always fits. */
  function keep(made: T): boolean {
    bytes += form.bytes(made);
    full = bytes > query.bytes;
    if (full && delivered > 0) return false;
    loose.push(made);
    delivered += 1;
    full ||= delivered >= limit;
    return true;
  }

  function pick(seq: number, record: RawRecord): boolean {
    const event = parse(record);
    if (event !== null && isWanted(event)) return keep(form.ofEvent(numbered(seq, event)));
    if (event === null) unparsable += 1;
    else hidden += 1;
    return true;
  }

  return {
    isFull: () => full || hidden + unparsable >= most_records,
    take(seq: number, record: RawRecord): boolean {
      if (isPicky) return pick(seq, record);
      const made = form.ofRecord(seq, record);
      if (made !== null) return keep(made);
      unparsable += 1;
      return true;
    },
    pack(): void {
      if (loose.length > 0) events.push(...form.pack(loose));
      loose = [];
    },
    result: () => ({ events, delivered, hidden, unparsable }),
  };
}

function parse({ own, text }: RawRecord): StreamEvent | null {
  // Ours, written by JSON.stringify.
  return own ? (JSON.parse(text) as StreamEvent) : parseStreamRecord(text);
}

/** prev_pid, next_pid, tgid, waker_pid and the like. */
const naming = /(?:^|_)(?:pid|tgid|tid)$/;

function isAbout(event: StreamEvent, pid: number): boolean {
  return Object.entries(event).some(([name, value]) => value === pid && naming.test(name));
}
