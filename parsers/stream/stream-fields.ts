import { untrusted } from '../untrusted.ts';

/** A whole number that a double holds exactly, or null. */
export function whole(text: string | undefined): number | null {
  if (text === undefined || text === '') return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

/**
 * Nanoseconds since boot, or null. After 104 days a double does not hold each of them: a nanosecond or
 * two off is better than no event.
 */
export const instant = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,19}$/.test(text) ? Number(text) : null;

/** A thread group: 0 of anything but the idle task stands for one that is not known. */
export const group = (tgid: number, pid: number): number | null =>
  tgid === 0 && pid !== 0 ? null : tgid;

const hexadecimal = /^[0-9a-f]{1,16}$/;

/** A 64-bit value, as a JSON number would not hold it. */
export function hex(text: string | undefined): string | null {
  return text !== undefined && hexadecimal.test(text) ? `0x${text}` : null;
}

/**
 * Text that a program printed as words of eight bytes: the number that a little-endian processor
 * makes of them, in hexadecimal. It ends with the first zero byte; `isCut` where there is none.
 * Whoever names a task cannot write a line of the stream with it. Null where a word is none.
 */
export function wordsText(
  words: readonly (string | undefined)[],
): Readonly<{ text: string; isCut: boolean }> | null {
  const bytes: number[] = [];
  for (const word of words) {
    if (word === undefined || !hexadecimal.test(word)) return null;
    for (let end = 16, digits = word.padStart(16, '0'); end > 0; end -= 2) {
      const byte = Number.parseInt(digits.slice(end - 2, end), 16);
      if (byte === 0) return { text: decode(bytes), isCut: false };
      bytes.push(byte);
    }
  }
  return { text: decode(bytes), isCut: true };
}

const decoder = new TextDecoder();
const decode = (bytes: readonly number[]): string => decoder.decode(Uint8Array.from(bytes));

/** Names recur: of a few hundred tasks come hundred thousands of records. */
const known = new Map<string, string | null>();
const most_known = 4096;

/** Name of a task out of its two words; null where it was not told, or is empty. */
export function name(first: string | undefined, second: string | undefined): string | null {
  const key = `${first} ${second}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const words = wordsText([first, second]);
  const text = words === null || words.text === '' ? null : untrusted(words.text, 16);
  if (known.size >= most_known) known.clear();
  known.set(key, text);
  return text;
}
