import { type BusyForm, busyForm } from './busy-form.ts';

/**
 * Writes the busiest records as lines of JSON from bytes to bytes: `streamRecordJson` of each, and a
 * line feed, as they stand between the quotes of a JSON string. What tasks a record names recurs, so
 * the text around its numbers is made once and copied. That takes a fifth of the time of doing it in
 * strings, which on a host with few CPUs decides whether a reader keeps up.
 */
export type BusyLines = Readonly<{
  /**
   * The record that begins at `at`, written to `out` from `to` on, which needs `longest_line_bytes`.
   * Gives where the next record begins; -1 where this one is of another form, torn, or has a number
   * that needs a closer look.
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
const letter_e = 101;
/** Which a double holds exactly. Of a time the text is exact, however long the host is up. */
const most_digits = 15;
const most_time_digits = 19;
/** META A_PID A_TGID B_PID B_TGID */
const numbers = 5;
/** Two words of each name. */
const words = 4;
/** Room for what some hundred tasks do on tens of CPUs. The number of sets is a power of two. */
const most_sets = 2048;
const ways = 4;
const most_key_bytes = 160;

export function busyLines(): BusyLines {
  const sets: (Template[] | undefined)[] = Array(most_sets);
  // Of the record at hand; kept here, since an object for each of them would be most of the work.
  let timeTo = 0;
  let firstTo = 0;
  let xTo = 0;
  let yTo = 0;
  let secondTo = 0;
  let hash = 0;
  let replaced = 0;
  let end = 0;
  let escapes = 0;

  /** Finds the fields of the record whose time begins at `from`. */
  function split(bytes: Uint8Array, from: number): boolean {
    hash = 0;
    timeTo = endOfNumber(bytes, from, most_time_digits);
    firstTo = timeTo < 0 ? -1 : endOfFields(bytes, timeTo + 1, tab, numbers);
    xTo = firstTo < 0 ? -1 : endOfNumber(bytes, firstTo + 1, most_digits);
    yTo = xTo < 0 ? -1 : endOfNumber(bytes, xTo + 1, most_digits);
    secondTo = yTo < 0 ? -1 : endOfFields(bytes, yTo + 1, newline, words);
    return secondTo >= 0;
  }

  /** Where so many fields end, the last one with `closing`; -1 where they do not. Adds to the hash. */
  function endOfFields(bytes: Uint8Array, from: number, closing: number, fields: number): number {
    const most = Math.min(bytes.length, from + most_key_bytes);
    let left = fields;
    let at = from;
    for (; at < most; at += 1) {
      const byte = bytes[at] ?? newline;
      if (byte === tab || byte === newline) left -= 1;
      if (byte === newline || left === 0) break;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    return left === 0 && bytes[at] === closing ? at : -1;
  }

  function templateOf(bytes: Uint8Array): Template | undefined {
    const hasX = bytes[firstTo + 1] !== zero;
    const hasY = bytes[xTo + 1] !== zero;
    const mixed = Math.imul(hash, 4) + (hasX ? 2 : 0) + (hasY ? 1 : 0);
    const at = (mixed ^ (mixed >>> 15)) & (most_sets - 1);
    const set = sets[at] ?? [];
    for (const known of set) {
      if (known.hasX === hasX && known.hasY === hasY && isOf(known.key, bytes)) return known;
    }
    const first = bytes.subarray(timeTo + 1, firstTo);
    const made = makeTemplate(first, bytes.subarray(yTo + 1, secondTo), hasX, hasY);
    if (made === undefined) return undefined;
    // In turn: two forms that recur together must not drive each other out.
    set[set.length < ways ? set.length : replaced++ % ways] = made;
    sets[at] = set;
    return made;
  }

  function isOf(key: Uint8Array, bytes: Uint8Array): boolean {
    const first = firstTo - timeTo - 1;
    const shift = yTo + 1 - first;
    if (key.length !== secondTo - shift) return false;
    for (let at = 0; at < first; at += 1) if (key[at] !== bytes[timeTo + 1 + at]) return false;
    for (let at = first; at < key.length; at += 1) if (key[at] !== bytes[shift + at]) return false;
    return true;
  }

  return {
    write(bytes, at, seq, out, to) {
      if (bytes[at] !== letter_e || bytes[at + 1] !== tab || !split(bytes, at + 2)) return -1;
      const template = templateOf(bytes);
      if (template === undefined) return -1;
      const { x, y } = template;
      let put = copyAll(opening, out, to);
      put = writeNumber(seq, out, put);
      put = copyAll(template.head, out, put);
      put = copy(bytes, at + 2, timeTo, out, put);
      put = copyAll(template.afterTime, out, put);
      if (x !== 'none') put = copy(bytes, firstTo + 1, xTo, out, put);
      put = copyAll(template.afterX, out, put);
      if (y === 'number') put = copy(bytes, xTo + 1, yTo, out, put);
      else if (y === 'us of ns') put = writeThousandths(bytes, xTo + 1, yTo, out, put);
      end = copyAll(template.afterY, out, put);
      escapes = template.escapes;
      return secondTo + 1;
    },
    end: () => end,
    escapes: () => escapes,
  };
}

/** Where the digits end, with a tab behind them; -1 where they are none, or too many. */
function endOfNumber(bytes: Uint8Array, from: number, most: number): number {
  let at = from;
  for (;;) {
    const byte = bytes[at];
    if (byte === undefined || byte < zero || byte > nine) break;
    at += 1;
  }
  const digits = at - from;
  return bytes[at] === tab && digits > 0 && digits <= most ? at : -1;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('latin1');
const fixedNumbers = /^\d{1,15}(?:\t\d{1,15}){4}$/;
const fixedNames = /^([0-9a-f]{1,16}\t[0-9a-f]{1,16})\t([0-9a-f]{1,16}\t[0-9a-f]{1,16})$/;

function makeTemplate(
  firstBytes: Uint8Array,
  secondBytes: Uint8Array,
  hasX: boolean,
  hasY: boolean,
): Template | undefined {
  const first = decoder.decode(firstBytes);
  const second = decoder.decode(secondBytes);
  const [, aName, bName] = fixedNames.exec(second) ?? [];
  if (!fixedNumbers.test(first) || aName === undefined || bName === undefined) return undefined;
  const form = busyForm({ numbers: first.split('\t'), aName, bName }, hasX, hasY);
  if (form === null) return undefined;
  const { x, y, head, afterTime, afterX } = form;
  const afterY = `${form.afterY}\n`;
  const texts = [beginning, head, afterTime, afterX, afterY];
  return {
    key: encoder.encode(first + second),
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
