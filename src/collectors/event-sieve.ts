import { parseStreamRecord, type StreamEvent } from '../../parsers/stream/stream.ts';
import { type NumberedEvent, numbered } from '../../parsers/stream/stream-json.ts';
import { hideInEvent } from './event-addresses.ts';
import type { EventQuery, EventSieve } from './event-reader.ts';
import { type RawRecord, splitRecords } from './event-records.ts';

/** How much of what a reader asked for there is, and whether there is room for more. */
export function eventTally({ limit, bytes: most_bytes }: EventQuery) {
  let bytes = 0;
  let full = limit <= 0;
  const counts = { delivered: 0, hidden: 0, unparsable: 0 };
  return {
    counts,
    isFull: () => full,
    /** Counts an event of so many bytes if it has room; the first one always has. */
    fits(length: number): boolean {
      bytes += length;
      full = bytes > most_bytes;
      if (full && counts.delivered > 0) return false;
      counts.delivered += 1;
      full ||= counts.delivered >= limit;
      return true;
    },
  };
}

/** Events as they are. */
export function objectSieve(query: EventQuery): EventSieve<NumberedEvent> {
  const events: NumberedEvent[] = [];
  const tally = eventTally(query);

  function pass(seq: number, record: RawRecord): boolean {
    const event = parseRecord(record, query);
    if (event === null) tally.counts.unparsable += 1;
    else if (!isWanted(event, query)) tally.counts.hidden += 1;
    else {
      const all = numbered(seq, event);
      const made = query.showAddresses ? all : hideInEvent(all);
      if (!tally.fits(JSON.stringify(made).length + 1)) return false;
      events.push(made);
    }
    return true;
  }

  return {
    isFull: tally.isFull,
    take({ bytes, skip, isEnd }, seq) {
      let passed = 0;
      for (const record of splitRecords(bytes, skip, isEnd)) {
        if (tally.isFull() || !pass(seq + passed, record)) break;
        passed += 1;
      }
      return passed;
    },
    result: () => ({ events, ...tally.counts }),
  };
}

export function parseRecord({ own, text }: RawRecord, { tasks }: EventQuery): StreamEvent | null {
  // Ours, written by JSON.stringify.
  return own ? (JSON.parse(text) as StreamEvent) : parseStreamRecord(tasks.expand(text));
}

export function isWanted(event: StreamEvent, { types, pid }: EventQuery): boolean {
  return (types === null || types.has(event.type)) && (pid === null || isAbout(event, pid));
}

/** prev_pid, next_pid, tgid, waker_pid and the like. */
const naming = /(?:^|_)(?:pid|tgid|tid)$/;

function isAbout(event: StreamEvent, pid: number): boolean {
  return Object.entries(event).some(([name, value]) => value === pid && naming.test(name));
}
