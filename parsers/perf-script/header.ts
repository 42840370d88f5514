import { untrusted } from '../untrusted.ts';
import { period_columns } from './header-bytes.ts';

/** Who was sampled. The pid is null where the text has thread ids only. */
export type Task = Readonly<{ comm: string; pid: number | null; tid: number }>;

export type Header = Readonly<{
  event: string;
  /** Whether a time stands before the event. */
  timed: boolean;
  /** What follows the event: a frame where there is no stack, text of a tracepoint, or nothing. */
  rest: string;
}>;

const colon = 58;
const space = 32;
const carriage_return = 13;
const dot = 46;
const digit_0 = 48;
const digit_9 = 57;

/**
 * The event out of the first line of a sample, whose task, time and period are read elsewhere once
 * the event is known; null where it is no such line.
 *
 *     node  8261/8261  [000]  1525.130933: cpu-clock:
 *     kworker/0:1-eve   371 [000]  2000.272850:          1 sched:sched_switch: prev_comm=…
 *     node   744   20408163 cpu-clock:
 *
 * A comm holds blanks, slashes, brackets and colons. With a stack the line ends in the event, so it
 * is read from the right, where nobody's text stands; otherwise from the left.
 */
export function parseHeader(line: string): Header | null {
  const end = endBefore(line, line.length);
  return (line.charCodeAt(end - 1) === colon ? fromTheRight(line, end) : null) ?? fromTheLeft(line);
}

function fromTheRight(line: string, end: number): Header | null {
  const eventAt = wordBefore(line, end);
  const event = line.slice(eventAt, end - 1);
  let timeEnd = endBefore(line, eventAt);
  if (isDigit(line.charCodeAt(timeEnd - 1))) timeEnd = endBefore(line, skipNumber(line, timeEnd));
  if (endsInTime(line, timeEnd)) return { event, timed: true, rest: '' };
  return isTimeless(line, eventAt, event) ? { event, timed: false, rest: '' } : null;
}

function fromTheLeft(line: string): Header | null {
  for (let at = line.indexOf(': '); at > 0; at = line.indexOf(': ', at + 1)) {
    if (!endsInTime(line, at + 1)) continue;
    if (parseTask(line.slice(0, skipNumber(line, at))) === null) continue;
    const [event, rest] = firstWord(line.slice(at + 2));
    const [next, tail] = isDigits(event) ? firstWord(rest) : [event, rest];
    return { event: next.endsWith(':') ? next.slice(0, -1) : next, timed: true, rest: tail };
  }
  return timelessFromTheLeft(line);
}

/** Threads recorded on their own (`perf record --per-thread`) have no time, and no CPU. */
function timelessFromTheLeft(line: string): Header | null {
  for (let at = line.indexOf(': '); at > 0; at = line.indexOf(': ', at + 1)) {
    const eventAt = wordBefore(line, at);
    const event = line.slice(eventAt, at);
    const rest = line.slice(at + 1).trimStart();
    if (/^[0-9a-f]+ /.test(rest) && isTimeless(line, eventAt, event)) {
      return { event, timed: false, rest };
    }
  }
  return null;
}

/** Whether a task and perhaps a period stand before the event, and nothing else. */
function isTimeless(line: string, eventAt: number, event: string): boolean {
  if (!/^[A-Za-z]/.test(event)) return false;
  const end = endBefore(line, eventAt);
  const digits = skipDigits(line, end);
  const before = endBefore(line, digits);
  const counted = digits < end && end - before > period_columns;
  return parseTask(line.slice(0, counted ? before : end)) !== null;
}

/** Whether " 1525.130933:" ends before `end`. */
function endsInTime(line: string, end: number): boolean {
  if (line.charCodeAt(end - 1) !== colon) return false;
  const from = skipNumber(line, end - 1);
  return line.charCodeAt(from - 1) === space && /^\d+\.\d+$/.test(line.slice(from, end - 1));
}

/**
 * Task and CPU out of the first part of a header, or null where no thread id stands there. Between
 * them stands the virtual CPU of a guest (6.0), behind them the mode of the CPU where `-F +misc`
 * asked for it.
 *
 *     qemu-system-x86   518/523   VM:  777 VCPU:000 [001]
 *     node  8261/8261  [000]  U
 */
export function parseTask(text: string): Readonly<{ task: Task; cpu: number | null }> | null {
  const whole = text.slice(0, endBefore(text, text.length));
  const [, before = '', cpu] = /^(.*?)(?: \[(\d{1,9})\](?: +[A-Za-z]{1,4})?)?$/s.exec(whole) ?? [];
  // Where blanks begin, and nowhere among them: many would take long.
  const line = before.replace(/(?<! )(?: +VM: *\d{1,9})?(?: +VCPU:\d{1,9})? *$/, '');
  const idsAt = wordBefore(line, line.length);
  const [, pid, tid] = /^(?:(-1|\d{1,10})\/)?(-1|\d{1,10})$/.exec(line.slice(idsAt)) ?? [];
  if (tid === undefined) return null;
  const comm = untrusted(line.slice(0, idsAt), 64);
  return {
    // perf prints -1 for a task that it does not know.
    task: { comm, pid: pid === undefined ? null : Number(pid), tid: Number(tid) },
    cpu: cpu === undefined ? null : Number(cpu),
  };
}

/** End of the text without the blanks before `end`, the CR of a line end included. */
function endBefore(text: string, end: number): number {
  let at = end;
  while (at > 0 && isBlank(text.charCodeAt(at - 1))) at--;
  return at;
}

/** Start of the word that ends at `end`. */
function wordBefore(text: string, end: number): number {
  let at = end;
  while (at > 0 && text.charCodeAt(at - 1) !== space) at--;
  return at;
}

/** Start of the digits and dots that end at `end`. */
function skipNumber(text: string, end: number): number {
  let at = end;
  while (at > 0 && (isDigit(text.charCodeAt(at - 1)) || text.charCodeAt(at - 1) === dot)) at--;
  return at;
}

function skipDigits(text: string, end: number): number {
  let at = end;
  while (at > 0 && isDigit(text.charCodeAt(at - 1))) at--;
  return at;
}

function firstWord(text: string): readonly [string, string] {
  const word = text.trimStart();
  const end = word.indexOf(' ');
  return end < 0 ? [word, ''] : [word.slice(0, end), word.slice(end + 1).trimStart()];
}

const isBlank = (code: number): boolean => code === space || code === carriage_return;

const isDigit = (code: number): boolean => code >= digit_0 && code <= digit_9;

const isDigits = (text: string): boolean => /^\d+$/.test(text);
