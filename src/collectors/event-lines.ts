import { type BusyLines, busyLines, longest_line_bytes } from '../../parsers/stream/busy-lines.ts';
import type { TaskWords } from '../../parsers/stream/short-records.ts';
import { numbered, streamRecordJson } from '../../parsers/stream/stream-json.ts';
import { bytePieces } from './byte-pieces.ts';
import { hideInLine } from './event-addresses.ts';
import type { EventQuery, EventSieve } from './event-reader.ts';
import { nextBusyLine, type RawRecord, skipRecords, splitRecords } from './event-records.ts';
import { eventTally, isWanted, parseRecord } from './event-sieve.ts';

/** The texts around the numbers are kept from one answer to the next. */
const kept = new WeakMap<TaskWords, BusyLines>();

function busyLinesOf(tasks: TaskWords): BusyLines {
  const before = kept.get(tasks);
  if (before) return before;
  const made = busyLines(tasks);
  kept.set(tasks, made);
  return made;
}

/**
 * Events as lines of JSON, as they stand between the quotes of a JSON string, in pieces: what
 * programs that read a fast stream are sent. Busy records become no strings on the way.
 */
export function lineSieve(query: EventQuery): EventSieve<Buffer> {
  const isPicky = query.types !== null || query.pid !== null;
  const pieces = bytePieces();
  const tally = eventTally(query);
  const busy = busyLinesOf(query.tasks);

  /** Passes a record without making it a string; gives where it ends, or `at` where it cannot. */
  function passBusy(bytes: Buffer, at: number, seq: number): number {
    const { piece, used } = pieces.room(longest_line_bytes);
    const next = busy.write(bytes, at, seq, piece, used);
    if (next < 0) return at;
    const length = busy.end() - used;
    if (!tally.fits(length - busy.escapes())) return at;
    pieces.use(length);
    return next;
  }

  function passText(seq: number, record: RawRecord): boolean {
    const line = lineOf(seq, record);
    if (line === null) return true;
    const shown = query.showAddresses ? line : hideInLine(record.text, line);
    if (!tally.fits(Buffer.byteLength(shown) + 1)) return false;
    pieces.add(escapedLine(shown));
    return true;
  }

  /** Null where there is none: it is hidden or makes no sense, and counted. */
  function lineOf(seq: number, record: RawRecord): string | null {
    if (isPicky) {
      const event = parseRecord(record, query);
      if (event !== null && isWanted(event, query)) return JSON.stringify(numbered(seq, event));
      tally.counts[event === null ? 'unparsable' : 'hidden'] += 1;
      return null;
    }
    const { own, text } = record;
    const line = own
      ? `{"seq":${seq},${text.slice(1)}`
      : streamRecordJson(seq, query.tasks.expand(text));
    if (line === null) tally.counts.unparsable += 1;
    return line;
  }

  /** Passes what is there until the next busy record as strings. */
  function passOthers(bytes: Buffer, isEnd: boolean, seq: number): number {
    let passed = 0;
    for (const record of splitRecords(bytes, 0, isEnd)) {
      if (tally.isFull() || !passText(seq + passed, record)) break;
      passed += 1;
    }
    return passed;
  }

  return {
    isFull: tally.isFull,
    take({ bytes, skip, isEnd }, seq) {
      let passed = 0;
      for (let at = skipRecords(bytes, skip); at < bytes.length && !tally.isFull(); ) {
        const next = isPicky ? at : passBusy(bytes, at, seq + passed);
        if (next > at) {
          passed += 1;
          at = next;
        } else {
          const to = isPicky ? bytes.length : nextBusyLine(bytes, at);
          const isWhole = to < bytes.length || isEnd;
          passed += passOthers(bytes.subarray(at, to), isWhole, seq + passed);
          at = to;
        }
      }
      return passed;
    },
    result: () => ({ events: pieces.all(), ...tally.counts }),
  };
}

const escapedLine = (line: string): Buffer => Buffer.from(JSON.stringify(`${line}\n`).slice(1, -1));
