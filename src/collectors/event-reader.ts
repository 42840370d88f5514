import type { TaskWords } from '../../parsers/stream/short-records.ts';
import type { EventRing, RingStep } from './event-ring.ts';
import { nextTurn } from './next-turn.ts';

/** What a reader wants of the records behind its place. */
export type EventQuery = Readonly<{
  limit: number;
  /** Room for the events as JSON. */
  bytes: number;
  types: ReadonlySet<string> | null;
  pid: number | null;
  showAddresses: boolean;
  /** What stands for the tasks in short records. */
  tasks: TaskWords;
}>;

/** Takes what a reader wants out of the records, in the form in which the reader gets it. */
export type EventSieve<P> = Readonly<{
  isFull(): boolean;
  /** Gives how many records it has passed; `seq` is the number of the first one. */
  take(step: RingStep, seq: number): number;
  result(): EventYield<P>;
}>;

/** Each record that was passed is one of the events, hidden by what the reader asked for, or dropped. */
export type EventYield<P> = Readonly<{
  events: readonly P[];
  delivered: number;
  hidden: number;
  unparsable: number;
}>;

/** The records behind the reader's place up to `next_seq`. */
export type EventSlice<P> = EventYield<P> & Readonly<{ next_seq: number; ring_overflow: number }>;

export type EventReader<P> = Readonly<{
  /** Reads on as far as there is something and the reader wants more. */
  advance(signal: AbortSignal): Promise<void>;
  isFull(): boolean;
  slice(): EventSlice<P>;
}>;

/** Records that one answer looks at in search of what the reader wants. */
const most_records = 500_000;

export function eventReader<P>(
  ring: EventRing,
  after: number,
  sieve: EventSieve<P>,
): EventReader<P> {
  let at = after;
  let ring_overflow = 0;
  const isFull = (): boolean => sieve.isFull() || at - after - ring_overflow >= most_records;

  /** Looks further than one step only where that does not show a single whole record. */
  function step(): boolean {
    for (let steps = 1; ; steps *= 2) {
      const found = ring.read(at, steps);
      ring_overflow += found.missed;
      at += found.missed;
      const passed = sieve.take(found, at + 1);
      at += passed;
      if (passed > 0 || sieve.isFull()) return passed > 0;
      if (found.isAll) return false;
    }
  }

  return {
    async advance(signal) {
      while (!isFull() && step()) await nextTurn(signal);
    },
    isFull,
    slice: () => ({ ...sieve.result(), next_seq: at, ring_overflow }),
  };
}
