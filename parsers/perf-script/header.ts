import { untrusted } from '../untrusted.ts';

/** Who was sampled. The pid is null where the text has thread ids only. */
export type Task = Readonly<{ comm: string; pid: number | null; tid: number }>;

export type Header = Readonly<{
  /** The part that names task and CPU: the same text for every sample of that task there. */
  task: string;
  time_s: number;
  event: string;
  /** What follows the event: a frame where there is no stack, text of a tracepoint, or nothing. */
  rest: string;
}>;

export type HeaderReader = (line: string) => Header | null;

const colon = 58;
const space = 32;
const carriage_return = 13;
const dot = 46;
const digit_0 = 48;
const digit_9 = 57;

/**
 * Reads the first line of a sample: task, CPU, time, perhaps a period, event.
 *
 *     node  8261/8261  [000]  1525.130933: cpu-clock:
 *     kworker/0:1-eve   371 [000]  2000.272850:          1 sched:sched_switch: prev_comm=…
 *
 * A comm holds blanks, slashes, brackets and colons. With a stack the line ends in the event, so it
 * is read from the right, where nobody's text stands; otherwise from the left. The event is mostly
 * that of the line before: it is looked for first.
 */
export function headerReader(): HeaderReader {
  let event = '';
  let mark = '';

  function remember(header: Header | null): Header | null {
    if (header && header.event !== event) {
      event = header.event;
      mark = ` ${event}:`;
    }
    return header;
  }

  /** Of a line that ends in its event. */
  function fromTheRight(line: string, end: number): Header | null {
    if (mark !== '' && line.slice(end - mark.length, end) === mark) {
      return beforeEvent(line, end - mark.length + 1, event, '');
    }
    const eventAt = wordBefore(line, end);
    return beforeEvent(line, eventAt, line.slice(eventAt, end - 1), '');
  }

  /** Of a line that goes on after the event of the line before. */
  function aroundTheMark(line: string, end: number): Header | null {
    const at = mark === '' ? -1 : line.indexOf(mark);
    if (at < 0) return null;
    return beforeEvent(line, at + 1, event, line.slice(at + mark.length, end).trimStart());
  }

  return (line) => {
    const end = endBefore(line, line.length);
    const withStack = line.charCodeAt(end - 1) === colon;
    const header = withStack ? fromTheRight(line, end) : aroundTheMark(line, end);
    return remember(header ?? fromTheLeft(line));
  };
}

/** The header whose event starts at `eventAt`, or null where no time stands before it. */
function beforeEvent(line: string, eventAt: number, event: string, rest: string): Header | null {
  let end = endBefore(line, eventAt);
  if (isDigit(line.charCodeAt(end - 1))) end = endBefore(line, skipNumber(line, end));
  const timeEnd = end - 1;
  if (line.charCodeAt(timeEnd) !== colon) return null;
  const timeAt = skipNumber(line, timeEnd);
  const time_s = seconds(line, timeAt, timeEnd);
  if (Number.isNaN(time_s) || line.charCodeAt(timeAt - 1) !== space) return null;
  return { task: line.slice(0, timeAt), time_s, event, rest };
}

function fromTheLeft(line: string): Header | null {
  for (let at = line.indexOf(': '); at > 0; at = line.indexOf(': ', at + 1)) {
    const timeAt = skipNumber(line, at);
    const time_s = seconds(line, timeAt, at);
    const task = line.slice(0, timeAt);
    if (Number.isNaN(time_s) || parseTask(task) === null) continue;
    const [event, rest] = firstWord(line.slice(at + 2));
    const [next, tail] = isDigits(event) ? firstWord(rest) : [event, rest];
    return { task, time_s, event: next.endsWith(':') ? next.slice(0, -1) : next, rest: tail };
  }
  return null;
}

/** Task and CPU out of the first part of a header, or null where no thread id stands there. */
export function parseTask(text: string): Readonly<{ task: Task; cpu: number | null }> | null {
  const end = endBefore(text, text.length);
  const lastAt = wordBefore(text, end);
  const last = text.slice(lastAt, end);
  const hasCpu = last.startsWith('[') && last.endsWith(']') && isDigits(last.slice(1, -1));
  const idsEnd = hasCpu ? endBefore(text, lastAt) : end;
  const idsAt = wordBefore(text, idsEnd);
  const ids = text.slice(idsAt, idsEnd);
  const slash = ids.indexOf('/');
  const tid = id(ids.slice(slash + 1));
  const pid = slash < 0 ? null : id(ids.slice(0, slash));
  if (tid === null || (slash >= 0 && pid === null)) return null;
  const comm = untrusted(text.slice(0, idsAt), 64);
  return { task: { comm, pid, tid }, cpu: hasCpu ? Number(last.slice(1, -1)) : null };
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

function firstWord(text: string): readonly [string, string] {
  const word = text.trimStart();
  const end = word.indexOf(' ');
  return end < 0 ? [word, ''] : [word.slice(0, end), word.slice(end + 1).trimStart()];
}

/** "1525.130933" as seconds; NaN where it is not digits, a dot and digits. */
function seconds(text: string, from: number, to: number): number {
  let digits = 0;
  let scale = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === dot) {
      if (scale > 0 || at === from || at === to - 1) return Number.NaN;
      scale = 1;
    } else {
      digits = digits * 10 + code - digit_0;
      scale *= 10;
    }
  }
  return scale > 0 ? digits / scale : Number.NaN;
}

/** perf prints -1 for a task that it does not know. */
const id = (text: string): number | null => (text === '-1' || isDigits(text) ? Number(text) : null);

const isBlank = (code: number): boolean => code === space || code === carriage_return;

const isDigit = (code: number): boolean => code >= digit_0 && code <= digit_9;

function isDigits(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    if (!isDigit(text.charCodeAt(at))) return false;
  }
  return text.length > 0;
}
