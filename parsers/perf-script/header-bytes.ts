/** Where things stand in a header line. Used again for the next line. */
export type HeaderPlaces = {
  /** End of the part that names task and CPU. */
  task_end: number;
  time_s: number | null;
  period: number | null;
  event: string;
  /** Start of what follows the event, or the end of the line. */
  rest: number;
};

export type HeaderBytes = Readonly<{
  /** Reads a line whose event was met before; false where it is none. */
  read(view: DataView, from: number, eol: number): boolean;
  /** The event is known from now on, with or without a time in front. */
  learn(event: string, timed: boolean): void;
  places: Readonly<HeaderPlaces>;
}>;

/** `timeless`: it was met without a time in front. */
type Known = { readonly name: string; readonly mark: Uint8Array; timeless: boolean };

const colon = 58;
const space = 32;
const dot = 46;
const digit_0 = 48;
/** perf pads a period to ten columns, an id of a thread to five. */
export const period_columns = 10;
/** Events that are remembered: more than anybody records at a time. */
const max_events = 256;

/** The first line of a sample (see parseHeader) in bytes, for events that are known. */
export function headerBytes(): HeaderBytes {
  let events: Known[] = [];
  let without_time = false;
  const places: HeaderPlaces = { task_end: 0, time_s: null, period: null, event: '', rest: 0 };

  /** The event whose mark "cpu-clock:" begins at `at`. The one met last is asked first. */
  function eventAt(view: DataView, at: number, end: number): Known | null {
    for (let index = 0; index < events.length; index++) {
      const known = events[index];
      if (!known || at + known.mark.length > end || !isMark(view, at, known.mark)) continue;
      return recall(known, index);
    }
    return null;
  }

  function eventBefore(view: DataView, from: number, end: number): Known | null {
    for (let index = 0; index < events.length; index++) {
      const known = events[index];
      const at = known ? end - known.mark.length : from;
      if (!known || at <= from || view.getUint8(at - 1) !== space) continue;
      if (isMark(view, at, known.mark)) return recall(known, index);
    }
    return null;
  }

  function recall(known: Known, index: number): Known {
    const [first] = events;
    if (first && index > 0) {
      events[index] = first;
      events[0] = known;
    }
    return known;
  }

  /** Of a line whose event ends at `end`, with nothing that others wrote before it but the comm. */
  function beforeEvent(view: DataView, from: number, end: number, known: Known): boolean {
    const at = endBefore(view, from, end - known.mark.length);
    const digits = digitsBefore(view, from, at);
    const before = endBefore(view, from, digits);
    const timed = takeTime(view, from, before);
    if (!timed && !known.timeless) return false;
    const counted = digits < at && (timed || at - before > period_columns);
    places.period = counted ? wholeNumber(view, digits, at) : null;
    places.event = known.name;
    if (!timed) places.task_end = counted ? before : at;
    return true;
  }

  function takeTime(view: DataView, from: number, end: number): boolean {
    if (end === from || view.getUint8(end - 1) !== colon) return false;
    const time_at = timeBefore(view, from, end - 1);
    places.time_s = time_at < 0 ? null : seconds(view, time_at, end - 1);
    places.task_end = time_at;
    return time_at >= 0;
  }

  function fromTheRight(view: DataView, from: number, end: number): boolean {
    const known = eventBefore(view, from, end);
    places.time_s = null;
    places.rest = end;
    return known !== null && beforeEvent(view, from, end, known);
  }

  /** Of a line whose time ends at `at`, where the rest of it is an event with what follows. */
  function afterTime(view: DataView, from: number, at: number, end: number): boolean {
    const time_at = timeBefore(view, from, at);
    if (time_at < 0) return false;
    const next = skipBlanks(view, at + 1, end);
    const digits = skipDigits(view, next, end);
    const counted = digits > next && view.getUint8(digits) === space;
    const event = counted ? skipBlanks(view, digits, end) : next;
    const known = eventAt(view, event, end);
    if (known === null) return false;
    places.period = counted ? wholeNumber(view, next, digits) : null;
    places.task_end = time_at;
    places.time_s = seconds(view, time_at, at);
    places.event = known.name;
    places.rest = skipBlanks(view, event + known.mark.length, end);
    return true;
  }

  /** Of a line without a time, whose event ends behind `at`. */
  function afterEvent(view: DataView, from: number, at: number, end: number): boolean {
    const known = eventBefore(view, from, at + 1);
    if (!known?.timeless) return false;
    places.time_s = null;
    places.rest = skipBlanks(view, at + 1, end);
    return beforeEvent(view, from, at + 1, known);
  }

  function fromTheLeft(view: DataView, from: number, end: number): boolean {
    for (let at = nextColon(view, from, end); at >= 0; at = nextColon(view, at + 1, end)) {
      if (afterTime(view, from, at, end)) return true;
    }
    if (!without_time) return false;
    for (let at = nextColon(view, from, end); at >= 0; at = nextColon(view, at + 1, end)) {
      if (afterEvent(view, from, at, end)) return true;
    }
    return false;
  }

  return {
    read(view, from, eol) {
      const end = endBefore(view, from, eol);
      if (end === from) return false;
      const bare = view.getUint8(end - 1) === colon && fromTheRight(view, from, end);
      return bare || fromTheLeft(view, from, end);
    },
    learn(name, timed) {
      without_time ||= !timed;
      const known = events.find((event) => event.name === name);
      if (known) {
        known.timeless ||= !timed;
        return;
      }
      const mark = new TextEncoder().encode(`${name}:`);
      events = [{ name, mark, timeless: !timed }, ...events.slice(0, max_events - 1)];
    },
    places,
  };
}

/** The next colon with a blank behind it, or -1. */
function nextColon(view: DataView, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    if (view.getUint8(at) === colon && view.getUint8(at + 1) === space) return at;
  }
  return -1;
}

function isMark(view: DataView, at: number, mark: Uint8Array): boolean {
  for (let index = 0; index < mark.length; index++) {
    if (view.getUint8(at + index) !== mark[index]) return false;
  }
  return true;
}

/** Start of the " 1525.130933" that ends at `end`, without the blank; -1 where there is none. */
function timeBefore(view: DataView, from: number, end: number): number {
  const point = digitsBefore(view, from, end) - 1;
  if (point < from || point + 1 === end || view.getUint8(point) !== dot) return -1;
  const at = digitsBefore(view, from, point);
  return at === point || at === from || view.getUint8(at - 1) !== space ? -1 : at;
}

/** Null for more digits than a time has. */
function seconds(view: DataView, from: number, end: number): number | null {
  let digits = 0;
  let scale = 0;
  for (let at = from; at < end; at++) {
    const code = view.getUint8(at);
    if (code === dot) {
      scale = 1;
    } else {
      digits = digits * 10 + code - digit_0;
      scale *= 10;
    }
  }
  const time_s = digits / scale;
  return Number.isFinite(time_s) ? time_s : null;
}

function wholeNumber(view: DataView, from: number, end: number): number | null {
  let number = 0;
  for (let at = from; at < end; at++) number = number * 10 + view.getUint8(at) - digit_0;
  return Number.isFinite(number) ? number : null;
}

/** End of what stands before `end`, without blanks and the CR of a line end. */
function endBefore(view: DataView, from: number, end: number): number {
  let at = end;
  while (at > from && isBlank(view.getUint8(at - 1))) at--;
  return at;
}

function digitsBefore(view: DataView, from: number, end: number): number {
  let at = end;
  while (at > from && isDigit(view.getUint8(at - 1))) at--;
  return at;
}

function skipBlanks(view: DataView, from: number, end: number): number {
  let at = from;
  while (at < end && view.getUint8(at) === space) at++;
  return at;
}

function skipDigits(view: DataView, from: number, end: number): number {
  let at = from;
  while (at < end && isDigit(view.getUint8(at))) at++;
  return at;
}

const isBlank = (code: number): boolean => code === space || code === 13;

const isDigit = (code: number): boolean => code >= digit_0 && code <= 57;
