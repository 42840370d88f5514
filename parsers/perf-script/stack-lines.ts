import { byteTexts } from './byte-texts.ts';
import { type ByteWindow, newlineIn } from './byte-window.ts';
import { type Frame, parseFrame } from './frame.ts';
import { type StackNamer, stackTable } from './stack-table.ts';

/** Distinct lines, their bytes, distinct stacks and their frames that are remembered. */
export type StackLimits = Readonly<{
  texts: number;
  text_bytes: number;
  stacks: number;
  stack_frames: number;
}>;

/** Why a line was not taken; null where it was. */
export type Refusal = 'not a frame' | 'a stack too deep' | null;

export type StackLines = Readonly<{
  /** Takes lines from the window for as long as they are those that were expected; how many. */
  follow(window: ByteWindow): number;
  /** Takes the line up to `eol`, whose address starts at `from` or behind blanks there. */
  take(window: ByteWindow, from: number, eol: number): Refusal;
  /** The number of the stack. */
  number(name: StackNamer): number;
  restart(): void;
}>;

const tab = 9;
const space = 32;
const newline = 10;
const carriage_return = 13;
/** perf prints an address in 16 columns after a tab: the rest is the same for each call. */
const text_column = 17;
/** The four digits that an address in the kernel begins with. */
const kernel_digits = 0x66666666;
/** The kernel records 127 frames, and what kernel.perf_event_max_stack allows at most. */
const deepest = 65_536;
/** A power of two. */
const guess_count = 32_768;
const guess_shift = 17;

/**
 * The lines of one stack after another, as the frames that they name. Code has few callers, so the
 * line that came after the last two before is compared with the text first: mostly no line
 * end is searched and nothing hashed. Of an address only its first digits are looked at, which tell
 * the kernel from a program: the same code stands elsewhere in each process.
 */
export function stackLines(limits: StackLimits, frameNumber: (frame: Frame) => number): StackLines {
  const texts = byteTexts(limits.texts, limits.text_bytes);
  const stacks = stackTable(limits.stacks, limits.stack_frames);
  let { facts, pool } = texts;
  const decoder = new TextDecoder();
  /** Text plus one by what came before: the one met last, and the one before that. */
  const guesses = new Int32Array(guess_count);
  const others = new Int32Array(guess_count);
  /** Where the line ends that was guessed. */
  let line_end = 0;
  const frames = new Int32Array(deepest);
  let depth = 0;
  /** The last two lines; those before were shifted out. */
  let context = 0;

  function learn(window: ByteWindow, from: number, hexEnd: number, eol: number, mark: number) {
    const frame = parseFrame(decoder.decode(window.bytes.subarray(from, eol)).trim());
    if (frame === null) return -1;
    const kept = { mark, value: frameNumber(frame), note: 0 };
    const text = texts.keep(window, hexEnd, eol + 1, kept);
    if (text >= 0) return text;
    texts.clear();
    ({ facts, pool } = texts);
    guesses.fill(0);
    others.fill(0);
    return texts.keep(window, hexEnd, eol + 1, kept);
  }

  /** Where the line that is expected ends, if it is the one at `at`; otherwise -1. */
  function endOfText(text: number, view: DataView, at: number, end: number): number {
    const offset = facts[text] ?? 0;
    const last = (facts[text + 1] ?? 0) - 4;
    const from = at + text_column;
    if (from + last + 4 > end || view.getInt32(at + 1, true) !== facts[text + 3]) return -1;
    for (let done = 0; done < last; done += 4) {
      if (view.getInt32(from + done, true) !== pool.getInt32(offset + done, true)) return -1;
    }
    const same = view.getInt32(from + last, true) === pool.getInt32(offset + last, true);
    return same && isAddress(view, at) ? from + last + 4 : -1;
  }

  /** The text at `at` where it is one of the two that are expected; otherwise -1. */
  function guess(view: DataView, at: number, end: number): number {
    const slot = slotOf(context);
    const first = (guesses[slot] ?? 0) - 1;
    line_end = first < 0 ? -1 : endOfText(first * 4, view, at, end);
    if (line_end >= 0) return first;
    const second = (others[slot] ?? 0) - 1;
    line_end = second < 0 ? -1 : endOfText(second * 4, view, at, end);
    if (line_end < 0) return -1;
    others[slot] = first + 1;
    guesses[slot] = second + 1;
    return second;
  }

  function expect(text: number, start: number): void {
    const slot = slotOf(context);
    others[slot] = guesses[slot] ?? 0;
    guesses[slot] = text + 1;
    facts[text * 4 + 3] = start;
  }

  function textAt(window: ByteWindow, at: number, hexEnd: number, eol: number): number {
    const { view } = window;
    const isLong = hexEnd - at === 16 && view.getUint8(at) !== space;
    const mark = isLong ? addressMark(view, at) : 0;
    const known = texts.find(window, hexEnd, eol + 1, mark);
    return known < 0 ? learn(window, at, hexEnd, eol, mark) : known;
  }

  return {
    follow(window) {
      const { view, end } = window;
      const before = depth;
      let at = window.from;
      while (depth < deepest) {
        const text = guess(view, at, end);
        if (text < 0) break;
        frames[depth++] = facts[text * 4 + 2] ?? 0;
        context = after(context, text);
        at = line_end;
      }
      window.from = at;
      return depth - before;
    },
    take(window, from, eol) {
      const { view } = window;
      const inColumns = endsInColumns(view, from, eol);
      const at = inColumns ? from + 1 : skipBlanks(view, from);
      const hexEnd = inColumns ? from + text_column : skipHex(view, at);
      if (hexEnd === at || !isApart(view.getUint8(hexEnd))) return 'not a frame';
      if (depth === deepest) return 'a stack too deep';
      const text = textAt(window, at, hexEnd, eol);
      if (text < 0) return 'not a frame';
      frames[depth++] = facts[text * 4 + 2] ?? 0;
      if (inColumns) expect(text, view.getInt32(from + 1, true));
      context = after(context, text);
      return null;
    },
    number: (name) => stacks.number(frames, depth, name),
    restart() {
      depth = 0;
      context = 0;
    },
  };
}

const slotOf = (context: number): number => Math.imul(context, 0x9e3779b1) >>> guess_shift;

const after = (context: number, text: number): number =>
  (context << 16) ^ Math.imul(text + 1, 0x85ebca6b);

/** Addresses of 16 digits tell apart where the same name would not: kernel, or junk on a stack. */
function addressMark(view: DataView, at: number): number {
  const digits = view.getInt32(at, true);
  return digits === kernel_digits ? 1 : digits;
}

/** The same as endsInColumns, where the end of the line is not known. */
function isAddress(view: DataView, at: number): boolean {
  if (view.getUint8(at) !== tab || !isHexDigit(view.getUint8(at + text_column - 1))) return false;
  return (newlineIn(view, at + 4) | newlineIn(view, at + 8) | newlineIn(view, at + 12)) === 0;
}

/** Whether an address stands in its columns, as mostly; its other digits are read when it is new. */
function endsInColumns(view: DataView, from: number, eol: number): boolean {
  const end = from + text_column;
  if (view.getUint8(from) !== tab || eol - end < 3) return false;
  return view.getUint8(end) === space && isHexDigit(view.getUint8(end - 1));
}

function skipBlanks(view: DataView, from: number): number {
  let at = from;
  while (view.getUint8(at) === space || view.getUint8(at) === tab) at++;
  return at;
}

function skipHex(view: DataView, from: number): number {
  let at = from;
  while (isHexDigit(view.getUint8(at))) at++;
  return at;
}

const isApart = (code: number): boolean =>
  code === space || code === newline || code === tab || code === carriage_return;

const isHexDigit = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 97 && code <= 102);
