import { byteRing } from './byte-ring.ts';
import { lineOf, newline, nextLine } from './event-records.ts';

/**
 * The records of a tracking as the bytes in which they came, in a ring of fixed size. Nothing is
 * parsed when they come: lines are only told apart by their first byte, so that a fast stream costs
 * little, and readers that do not read cost nothing.
 */
export type EventRing = Readonly<{
  /** Output of the program. Lines may be torn anywhere. */
  push(bytes: Buffer): void;
  /** An event of our own, at the next end of a line. */
  add(event: object): void;
  /** The program has ended: a line that it left unfinished ends here. */
  settle(): void;
  /** How many records came so far: the number of the last one. Numbers start at 1. */
  last(): number;
  /** Those of them that the program printed. */
  printed(): number;
  /** The first record that is still there; `last() + 1` where there is none. */
  first(): number;
  /** What is there behind number `after`: so many steps of it. */
  read(after: number, steps?: number): RingStep;
  /** Lets go of all records. Numbers go on. */
  release(): void;
  held_bytes(): number;
}>;

export type RingStep = Readonly<{
  /** Records behind `after` that had left the ring before the reader came. */
  missed: number;
  /**
   * Lines, beginning at a record; the first `skip` records are not behind `after`. The next read
   * writes over them: a buffer for each step would be most of what a fast reader leaves to collect.
   */
  bytes: Buffer;
  skip: number;
  /** Nothing more belongs to the last record. */
  isEnd: boolean;
  /** Further steps would not give more. */
  isAll: boolean;
}>;

type Options = Readonly<{
  capacity_bytes: number;
  now(): number;
  /** Takes each line that is no part of a record. */
  control(line: string): void;
  /** Whether a line that begins with this byte is no record, though it looks like one. */
  isControl?(firstByte: number): boolean;
}>;

/** Where a record begins. */
type Mark = Readonly<{ seq: number; at: number }>;

/** At most one mark for each so many bytes: a reader finds its place by counting from there. */
const mark_bytes = 16 * 1024;
/** What one step looks at: short enough that the pipe of the program does not fill meanwhile. */
const step_bytes = 48 * 1024;
const nothing = { bytes: Buffer.alloc(0), skip: 0, isEnd: true, isAll: true };
/** A last record with nothing behind it is whole when nothing came for so long. */
const quiet_ms = 10;

export function eventRing(options: Options): EventRing {
  const { capacity_bytes, now, isControl = () => false } = options;
  const apart = Math.min(mark_bytes, capacity_bytes >> 6);
  const bytes = byteRing(capacity_bytes);
  const desk = Buffer.alloc(Math.min(step_bytes, capacity_bytes));
  let marks: Mark[] = [];
  let seq = 0;
  let printed = 0;
  let atLineStart = true;
  /** A line of control whose end has not come. */
  let torn: string | null = null;
  let waiting: Buffer[] = [];
  let written_ms = Number.NEGATIVE_INFINITY;
  /** Lines of control are not kept: what is kept ends with a line while one of them is torn. */
  const isBetweenLines = (): boolean => atLineStart || torn !== null;

  function write(piece: Buffer): void {
    if (piece.length === 0) return;
    bytes.write(piece);
    const begin = bytes.begin();
    while (marks[0] && marks[0].at < begin) marks.shift();
  }

  /** Of the program, which may go on with its record. */
  function keep(piece: Buffer): void {
    if (piece.length > 0) written_ms = now();
    write(piece);
  }

  function begin(at: number): void {
    seq += 1;
    const newest = marks.at(-1);
    if (!newest || at - newest.at >= apart) marks.push({ seq, at });
  }

  /** Takes bytes of the program; none is an end of a line. */
  function take(piece: Buffer): void {
    let from = torn === null ? 0 : takeControl(piece, 0);
    let at = atLineStart || from > 0 ? from : nextLine(piece, 0);
    while (at < piece.length) {
      const line = kindOf(piece[at] ?? newline);
      if (line === 'control') {
        keep(piece.subarray(from, at));
        from = takeControl(piece, at);
        at = from;
        continue;
      }
      if (line === 'begin') beginPrinted(bytes.end() + at - from);
      at = nextLine(piece, at);
    }
    keep(piece.subarray(from));
    atLineStart = (piece.at(-1) ?? newline) === newline;
  }

  function kindOf(byte: number): ReturnType<typeof lineOf> {
    const line = lineOf(byte);
    return isControl(byte) || line === 'own' ? 'control' : line;
  }

  function beginPrinted(at: number): void {
    printed += 1;
    begin(at);
  }

  /** Passes a line of control on once its end is there; gives where the next line begins. */
  function takeControl(piece: Buffer, at: number): number {
    const next = nextLine(piece, at);
    const isWhole = piece[next - 1] === newline;
    const line = (torn ?? '') + piece.toString('utf8', at, isWhole ? next - 1 : next);
    torn = isWhole ? null : line;
    if (isWhole) options.control(line);
    return next;
  }

  function addWaiting(): void {
    for (const line of waiting) {
      begin(bytes.end());
      write(line);
    }
    waiting = [];
  }

  const first = (): number => marks[0]?.seq ?? seq + 1;

  function readFrom({ seq: marked, at }: Mark, wanted: number, size: number) {
    const end = bytes.end();
    const to = Math.min(end, at + size);
    const isQuiet = isBetweenLines() && now() - written_ms >= quiet_ms;
    const room = to - at <= desk.length ? desk : Buffer.alloc(to - at);
    bytes.copy(at, to, room);
    return {
      bytes: room.subarray(0, to - at),
      skip: wanted - marked,
      isEnd: to === end && isQuiet,
      isAll: to === end,
    };
  }

  return {
    push(piece) {
      // Ours go between lines of the program, which may be torn.
      const end = waiting.length === 0 || isBetweenLines() ? 0 : nextLine(piece, 0);
      if (end > 0) take(piece.subarray(0, end));
      if (isBetweenLines()) addWaiting();
      if (end < piece.length) take(piece.subarray(end));
    },
    add(event) {
      waiting.push(Buffer.from(`\0${JSON.stringify(event)}\n`));
      if (isBetweenLines()) addWaiting();
    },
    settle() {
      if (!isBetweenLines()) take(Buffer.from('\n'));
      torn = null;
      atLineStart = true;
      addWaiting();
      written_ms = Number.NEGATIVE_INFINITY;
    },
    last: () => seq,
    printed: () => printed,
    first,
    read(after, steps = 1) {
      const wanted = Math.max(after + 1, first());
      const mark = marks.findLast((each) => each.seq <= wanted);
      const isThere = mark !== undefined && wanted <= seq;
      const missed = wanted - after - 1;
      return { missed, ...(isThere ? readFrom(mark, wanted, steps * step_bytes) : nothing) };
    },
    release() {
      bytes.release();
      marks = [];
    },
    held_bytes: () => bytes.end() - bytes.begin(),
  };
}
