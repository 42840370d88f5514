import { type BusyForm, busyForm } from './busy-form.ts';
import { type TaskWords, taskIds } from './short-records.ts';

/**
 * Writes short records (short-records.ts) as lines of JSON from bytes to bytes: `streamRecordJson` of
 * each, and a line feed, as they stand between the quotes of a JSON string. What tasks a record names
 * recurs, so the text around its numbers is made once and copied. That takes a fifth of the time of
 * doing it in strings, which on a host with few CPUs decides whether a reader keeps up.
 */
export type BusyLines = Readonly<{
  /**
   * The record that begins at `at`, written to `out` from `to` on, which needs `longest_line_bytes`.
   * Gives where the next record begins; -1 where this one is of another form, torn, names a task of
   * which the name is not known, or has a number that needs a closer look.
   */
  write(bytes: Uint8Array, at: number, seq: number, out: Uint8Array, to: number): number;
  /** Where the last line that was written ends. */
  end(): number;
  /** How many bytes shorter that line is outside a JSON string. */
  escapes(): number;
}>;

/** Names of at most 16 bytes, each of which can become six; the rest is fixed. */
export const longest_line_bytes = 2048;

/** A form as bytes, and the part of the record that it stands for. */
type Template = Readonly<{
  key: Uint8Array;
  hasX: boolean;
  hasY: boolean;
  x: BusyForm['x'];
  y: BusyForm['y'];
  head: Uint8Array;
  afterTime: Uint8Array;
  afterX: Uint8Array;
  afterY: Uint8Array;
  escapes: number;
}>;

const tab = 9;
const newline = 10;
const zero = 48;
const nine = 57;
const point = 46;
const letter_s = 115;
/** Which a double holds exactly. Of a time the text is exact, however long the host is up. */
const most_digits = 15;
const most_time_digits = 19;
/** META A B */
const key_fields = 3;
/** Room for what some hundred tasks do on tens of CPUs. The number of sets is a power of two. */
const most_sets = 2048;
const ways = 4;
const most_key_bytes = 64;

export function busyLines(tasks: TaskWords): BusyLines {
  const sets: (Template[] | undefined)[] = Array(most_sets);
  // Of the record at hand; kept here, since an object for each of them would be most of the work.
  let timeTo = 0;
  let keyTo = 0;
  let xTo = 0;
  let yTo = 0;
  let hash = 0;
  let replaced = 0;
  let doubts = tasks.doubts();
  let end = 0;
  let escapes = 0;

  /** Finds the fields of the record whose time begins at `from`. */
  function split(bytes: Uint8Array, from: number): boolean {
    timeTo = endOfNumber(bytes, from, most_time_digits);
    keyTo = timeTo < 0 || bytes[timeTo] !== tab ? -1 : endOfKey(bytes, timeTo + 1);
    xTo = keyTo < 0 ? -1 : endOfNumber(bytes, keyTo + 1, most_digits);
    yTo = xTo < 0 || bytes[xTo] !== tab ? -1 : endOfNumber(bytes, xTo + 1, most_digits);
    return yTo >= 0 && bytes[yTo] === newline;
  }

  /** Where the fields of the key end; -1 where they do not. Makes the hash of them. */
  function endOfKey(bytes: Uint8Array, from: number): number {
    const most = Math.min(bytes.length, from + most_key_bytes);
    let left = key_fields;
    let made = 0;
    for (let at = from; at < most; at += 1) {
      const byte = bytes[at] ?? newline;
      if (byte === newline) return -1;
      if (byte === tab) {
        left -= 1;
        if (left === 0) {
          hash = made;
          return at;
        }
      }
      made = (Math.imul(made, 31) + byte) | 0;
    }
    return -1;
  }

  function templateOf(bytes: Uint8Array): Template | undefined {
    forgetDoubtful();
    const hasX = bytes[keyTo + 1] !== zero;
    const hasY = bytes[xTo + 1] !== zero;
    const mixed = Math.imul(hash, 4) + (hasX ? 2 : 0) + (hasY ? 1 : 0);
    const at = (mixed ^ (mixed >>> 15)) & (most_sets - 1);
    const set = sets[at] ?? [];
    for (const known of set) {
      if (known.hasX === hasX && known.hasY === hasY && isOf(known.key, bytes)) return known;
    }
    const made = makeTemplate(tasks, bytes.subarray(timeTo + 1, keyTo), hasX, hasY);
    if (made === undefined) return undefined;
    // In turn: two forms that recur together must not drive each other out.
    set[set.length < ways ? set.length : replaced++ % ways] = made;
    sets[at] = set;
    return made;
  }

  /** A form may have a name that since turned out to be one of two. */
  function forgetDoubtful(): void {
    if (doubts === tasks.doubts()) return;
    doubts = tasks.doubts();
    sets.fill(undefined);
  }

  function isOf(key: Uint8Array, bytes: Uint8Array): boolean {
    const from = timeTo + 1;
    if (key.length !== keyTo - from) return false;
    for (let at = 0; at < key.length; at += 1) if (key[at] !== bytes[from + at]) return false;
    return true;
  }

  return {
    write(bytes, at, seq, out, to) {
      if (bytes[at] !== letter_s || bytes[at + 1] !== tab || !split(bytes, at + 2)) return -1;
      const template = templateOf(bytes);
      if (template === undefined) return -1;
      const { x, y } = template;
      let put = copyAll(opening, out, to);
      put = writeNumber(seq, out, put);
      put = copyAll(template.head, out, put);
      put = copy(bytes, at + 2, timeTo, out, put);
      put = copyAll(template.afterTime, out, put);
      if (x !== 'none') put = copy(bytes, keyTo + 1, xTo, out, put);
      put = copyAll(template.afterX, out, put);
      if (y === 'number') put = copy(bytes, xTo + 1, yTo, out, put);
      else if (y === 'us of ns') put = writeThousandths(bytes, xTo + 1, yTo, out, put);
      end = copyAll(template.afterY, out, put);
      escapes = template.escapes;
      return yTo + 1;
    },
    end: () => end,
    escapes: () => escapes,
  };
}

/** Where the digits end; -1 where they are none, or too many. */
function endOfNumber(bytes: Uint8Array, from: number, most: number): number {
  let at = from;
  for (;;) {
    const byte = bytes[at];
    if (byte === undefined || byte < zero || byte > nine) break;
    at += 1;
  }
  const digits = at - from;
  return digits > 0 && digits <= most ? at : -1;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('latin1');
const keyForm = /^([0-9a-f]{1,13})\t([0-9a-f]{1,16})\t([0-9a-f]{1,16})$/;

function makeTemplate(
  tasks: TaskWords,
  keyBytes: Uint8Array,
  hasX: boolean,
  hasY: boolean,
): Template | undefined {
  const key = decoder.decode(keyBytes);
  const [, meta, a, b] = keyForm.exec(key) ?? [];
  if (meta === undefined || a === undefined || b === undefined) return undefined;
  const [aName, bName] = [tasks.nameOf(a), tasks.nameOf(b)];
  if (aName === null || bName === null) return undefined;
  const numbers = [Number.parseInt(meta, 16), ...taskIds(a), ...taskIds(b)].map(String);
  const form = busyForm({ numbers, aName, bName }, hasX, hasY);
  if (form === null) return undefined;
  const { x, y, head, afterTime, afterX } = form;
  const afterY = `${form.afterY}\n`;
  const texts = [beginning, head, afterTime, afterX, afterY];
  return {
    key: encoder.encode(key),
    hasX,
    hasY,
    x,
    y,
    head: escaped(head),
    afterTime: escaped(afterTime),
    afterX: escaped(afterX),
    afterY: escaped(afterY),
    escapes: escaped(texts.join('')).length - encoder.encode(texts.join('')).length,
  };
}

const escaped = (text: string): Uint8Array => encoder.encode(JSON.stringify(text).slice(1, -1));
const beginning = '{"seq":';
const opening = escaped(beginning);

function copyAll(from: Uint8Array, to: Uint8Array, put: number): number {
  to.set(from, put);
  return put + from.length;
}

/** Of a number's few digits a loop takes less time than making a view of them for `set`. */
function copy(from: Uint8Array, begin: number, end: number, to: Uint8Array, put: number): number {
  for (let at = begin, next = put; at < end; at += 1, next += 1) to[next] = from[at] ?? zero;
  return put + end - begin;
}

function writeNumber(value: number, out: Uint8Array, to: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits += 1;
  for (let rest = value, at = to + digits - 1; at >= to; at -= 1) {
    out[at] = zero + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return to + digits;
}

/** A whole number of ns as us, as JavaScript writes it: 1500 is 1.5. */
function writeThousandths(
  bytes: Uint8Array,
  from: number,
  end: number,
  out: Uint8Array,
  to: number,
): number {
  let last = end;
  while (last > end - 3 && last > from && bytes[last - 1] === zero) last -= 1;
  let put = to;
  const whole = end - 3;
  if (whole > from) put = copy(bytes, from, whole, out, put);
  else out[put++] = zero;
  if (last <= Math.max(whole, from)) return put;
  out[put++] = point;
  for (let at = whole; at < from; at += 1) out[put++] = zero;
  return copy(bytes, Math.max(whole, from), last, out, put);
}
