/** Where things stand in a header line. Used again for the next line. */
export type HeaderPlaces = {
  /** End of the part that names task and CPU. */
  task_end: number;
  time_s: number;
  period: number | null;
  event: string;
  /** Start of what follows the event, or the end of the line. */
  rest: number;
};

export type HeaderBytes = Readonly<{
  /** Reads a line whose event was met before; false where it is none. */
  read(view: DataView, from: number, eol: number): boolean;
  /** The event is known from now on. */
  learn(event: string): void;
  places: Readonly<HeaderPlaces>;
}>;

type Known = Readonly<{ name: string; mark: Uint8Array }>;

const colon = 58;
const space = 32;
const dot = 46;
const digit_0 = 48;
/** Events that are remembered: more than anybody records at a time. */
const max_events = 256;

/** The first line of a sample (see parseHeader) in bytes, for events that are known. */
export function headerBytes(): HeaderBytes {
  let events: Known[] = [];
  const places = { task_end: 0, time_s: 0, period: null as number | null, event: '', rest: 0 };

  /** The event whose mark "cpu-clock:" begins at `at`. The one met last is asked first. */
  function eventAt(view: DataView, at: number, end: number): Known | null {
    for (const known of events) {
      if (at + known.mark.length <= end && isMark(view, at, known.mark)) return recall(known);
    }
    return null;
  }

  function eventBefore(view: DataView, from: number, end: number): Known | null {
    for (const known of events) {
      const at = end - known.mark.length;
      const apart = at > from && view.getUint8(at - 1) === space;
      if (apart && isMark(view, at, known.mark)) return recall(known);
    }
    return null;
  }

  function recall(known: Known): Known {
    if (events[0] !== known) events = [known, ...events.filter((other) => other !== known)];
    return known;
  }

  function take(view: DataView, time_at: number, time_end: number, rest: number, known: Known) {
    places.task_end = time_at;
    places.time_s = seconds(view, time_at, time_end);
    places.event = known.name;
    places.rest = rest;
    return true;
  }

  /** Of a line that ends in its event: nothing that others wrote stands between it and the time. */
  function fromTheRight(view: DataView, from: number, end: number): boolean {
    const known = eventBefore(view, from, end);
    if (known === null) return false;
    let at = endBefore(view, from, end - known.mark.length);
    const digits = digitsBefore(view, from, at);
    places.period = digits < at ? wholeNumber(view, digits, at) : null;
    if (digits < at) at = endBefore(view, from, digits);
    const time_end = at - 1;
    if (time_end < from || view.getUint8(time_end) !== colon) return false;
    const time_at = timeBefore(view, from, time_end);
    return time_at >= 0 && take(view, time_at, time_end, end, known);
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
    return take(view, time_at, at, skipBlanks(view, event + known.mark.length, end), known);
  }

  function fromTheLeft(view: DataView, from: number, end: number): boolean {
    for (let at = from; at < end; at++) {
      const isEnd = view.getUint8(at) === colon && view.getUint8(at + 1) === space;
      if (isEnd && afterTime(view, from, at, end)) return true;
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
    learn(name) {
      if (events.some((known) => known.name === name)) return;
      events = [{ name, mark: new TextEncoder().encode(`${name}:`) }, ...events];
      events.length = Math.min(events.length, max_events);
    },
    places,
  };
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

function seconds(view: DataView, from: number, end: number): number {
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
  return digits / scale;
}

function wholeNumber(view: DataView, from: number, end: number): number {
  let number = 0;
  for (let at = from; at < end; at++) number = number * 10 + view.getUint8(at) - digit_0;
  return number;
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
