import { type Frame, parseFrame } from './frame.ts';

/** A line of a stack as it stands in the text, and how the text went on after it the last time. */
type Line = {
  readonly text: string;
  readonly number: number;
  next: Line | null;
  /** Several lines at once, once they came twice: their text, their numbers, the last of them. */
  run: string;
  numbers: Int32Array;
  end: Line | null;
  visits: number;
};

export type StackLines = Readonly<{
  /** Takes lines from `at` on for as long as they are those that followed last time; their end. */
  follow(text: string, at: number): number;
  /** Takes one line of the text; false where it is no frame. */
  take(line: string): boolean;
  /** Takes a frame that stands alone, and which a stack that follows repeats. */
  takeAlone(frame: string): boolean;
  clear(): void;
  depth(): number;
  /** Numbers of the frames, innermost first; valid until the next line is taken. */
  numbers(): Int32Array;
  /** Lines that `follow` took since the last time it was asked. */
  followed(): number;
}>;

/** Distinct lines that are remembered; then all are forgotten and learned again. */
const max_lines = 65_536;
const max_run_bytes = 8 * 1024 * 1024;
const shortest_run = 4;
const no_numbers = new Int32Array(0);

/**
 * The lines of one stack after another, as numbers. A return address has one caller nearly always,
 * so the line that followed last time is compared with the text first, and after it all that
 * followed that; only where the text differs is a line searched, hashed, and once parsed. Memory
 * follows the distinct lines, up to a limit.
 */
export function stackLines(frameNumber: (frame: Frame) => number): StackLines {
  const start = newLine('', -1);
  let previous = start;
  let known = new Map<string, Line>();
  let run_bytes = 0;
  let stack = new Int32Array(256);
  let depth = 0;
  let followed = 0;

  function reserve(count: number): void {
    if (depth + count <= stack.length) return;
    const longer = new Int32Array(Math.max(stack.length * 2, depth + count));
    longer.set(stack);
    stack = longer;
  }

  function learn(text: string): Line | null {
    const copy = copyOf(text);
    const frame = parseFrame(copy.trim());
    if (frame === null) return null;
    if (known.size === max_lines) {
      known = new Map();
      run_bytes = 0;
    }
    const line = newLine(copy, frameNumber(frame));
    known.set(copy, line);
    return line;
  }

  function put(line: Line): void {
    reserve(1);
    stack[depth++] = line.number;
  }

  /** Takes the run of the line if the text has it; one that it has not is forgotten. */
  function takeRun(line: Line, text: string, at: number): number {
    const { run, numbers, end } = line;
    if (end === null) return at;
    if (text.slice(at, at + run.length) !== run) {
      line.end = null;
      line.visits = 0;
      return at;
    }
    reserve(numbers.length);
    for (const number of numbers) stack[depth++] = number;
    followed += numbers.length;
    previous = end;
    return at + run.length;
  }

  /** Takes line after line. */
  function takeEach(text: string, from: number): number {
    let at = from;
    let line = previous;
    let next = line.next;
    while (next !== null && text.slice(at, at + next.text.length) === next.text) {
      at += next.text.length;
      put(next);
      followed++;
      line = next;
      next = line.next;
    }
    previous = line;
    return at;
  }

  function rememberRun(line: Line, run: string, count: number): void {
    line.visits++;
    if (line.visits < 2 || run_bytes > max_run_bytes) return;
    run_bytes += run.length;
    line.run = copyOf(run);
    line.numbers = stack.slice(depth - count, depth);
    line.end = previous;
  }

  return {
    follow(text, from) {
      const first = previous;
      const at = takeRun(first, text, from);
      const before = depth;
      const end = takeEach(text, at);
      const count = depth - before;
      if (at === from && count >= shortest_run) rememberRun(first, text.slice(from, end), count);
      return end;
    },
    take(text) {
      const line = known.get(text) ?? learn(text);
      if (line === null) return false;
      if (previous === start) depth = 0;
      else previous.next = line;
      previous = line;
      put(line);
      return true;
    },
    takeAlone(text) {
      const line = known.get(text) ?? learn(text);
      if (line) put(line);
      return line !== null;
    },
    clear() {
      depth = 0;
      previous = start;
    },
    depth: () => depth,
    numbers: () => stack,
    followed() {
      const count = followed;
      followed = 0;
      return count;
    },
  };
}

function newLine(text: string, number: number): Line {
  return { text, number, next: null, run: '', numbers: no_numbers, end: null, visits: 0 };
}

/** Of what is kept: a slice would keep the whole piece of text alive that it was cut from. */
export const copyOf = (text: string): string => ` ${text}`.slice(1);
