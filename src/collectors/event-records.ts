/** `own` is JSON of ours; the others are what the program printed, continuation lines included. */
export type RawRecord = { readonly own: boolean; text: string };

export const newline = 10;

/**
 * What a line is, by its first byte: `begin` of a record of the program, `more` of it, an `own`
 * record of ours (NUL: no name of a task can hold that byte), nothing, or a line of control.
 */
type Line = 'begin' | 'more' | 'own' | 'nothing' | 'control';

export function lineOf(firstByte: number): Line {
  if (firstByte >= 97 && firstByte <= 122) return 'begin';
  if (firstByte === newline) return 'nothing';
  if (firstByte === 32 || firstByte === 9) return 'more';
  return firstByte === 0 ? 'own' : 'control';
}

/** Where the line behind the next newline begins; the length where there is none. */
export function nextLine(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(newline, at);
  return end < 0 ? bytes.length : end + 1;
}

/** Where the records behind the first so many begin, or what is left of the last one of these. */
export function skipRecords(bytes: Buffer, skip: number): number {
  let at = 0;
  for (let left = skip; at < bytes.length; at = nextLine(bytes, at)) {
    const line = lineOf(bytes[at] ?? newline);
    if (line !== 'begin' && line !== 'own') continue;
    if (left === 0) break;
    left -= 1;
  }
  return at;
}

/** s, the letter of short records. */
const busyLetter = 115;

/** Where the next short record begins behind the line at `at`; the length where none does. */
export function nextBusyLine(bytes: Buffer, at: number): number {
  let next = nextLine(bytes, at);
  while (next < bytes.length && bytes[next] !== busyLetter) next = nextLine(bytes, next);
  return next;
}

/**
 * The whole records in a piece of the stream, without the first `skip`. A record of the program is
 * whole when the next one begins, the last one where `isEnd` says that nothing more belongs to it;
 * ours are one line, and may stand between its lines. One that is not whole holds back those behind
 * it.
 */
export function splitRecords(bytes: Buffer, skip: number, isEnd: boolean): readonly RawRecord[] {
  // Decoding all of it at once costs a fraction of decoding line by line.
  const text = bytes.toString('utf8');
  const picked = picker(skip);
  let at = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
    const line = lineOf(text.charCodeAt(at));
    if (line === 'begin') picked.begin(text.slice(at, end));
    else if (line === 'own') picked.own(text.slice(at + 1, end));
    else if (line === 'more') picked.more(text.slice(at, end));
    at = end + 1;
  }
  return picked.records(isEnd && at === text.length);
}

function picker(skip: number) {
  const records: RawRecord[] = [];
  let index = 0;
  let whole = 0;
  /** The record of the program that may go on. */
  let open: RawRecord | null = null;
  const pick = (record: RawRecord): boolean => {
    index += 1;
    if (index > skip) records.push(record);
    return index > skip;
  };
  return {
    begin(text: string): void {
      whole = records.length;
      const record = { own: false, text };
      open = pick(record) ? record : null;
    },
    own(text: string): void {
      pick({ own: true, text });
      if (open === null) whole = records.length;
    },
    more(text: string): void {
      if (open !== null) open.text += `\n${text}`;
    },
    records: (isEnd: boolean) => records.slice(0, isEnd ? records.length : whole),
  };
}
