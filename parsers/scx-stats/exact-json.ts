import { ParseError } from '../parsed.ts';
import { untrusted } from '../untrusted.ts';

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export type JsonObject = Readonly<{ [name: string]: Json }>;

/** JSON without loss: which integers became text is part of the result. */
export type ExactJson = Readonly<{
  value: Json;
  /** Paths ("layers.batch.cpus.0") of integers that a double cannot hold: decimal digits as text. */
  exact: readonly string[];
}>;

const max_depth = 64;
const max_text = 2000;
const max_name = 200;
/** A NUL at the start of a text marks an integer. No genuine text keeps a NUL. */
const mark = '\0';
// One whole number literal at a time, so that the digits of a fraction are never taken for one.
const quoteOrNumber = /"|-?\d[\d.eE+-]*/g;

/**
 * JSON text as data: integers beyond 2^53 as decimal text, everything else as JSON.parse reads it.
 * Rust prints a 64-bit integer in full; JSON.parse alone would change its last digits. Texts and
 * names go through `printable`. ParseError for what is not JSON, or nested deeper than 64.
 */
export function parseExactJson(text: string, printable = shown): ExactJson {
  let value: unknown;
  try {
    value = JSON.parse(quoteLongIntegers(text));
  } catch {
    // biome-ignore lint/style/useErrorCause: the cause quotes the input, which may be anybody's text
    throw new ParseError('not JSON');
  }
  const exact: string[] = [];
  const path: string[] = [];

  function at(name: string, each: unknown): Json {
    path.push(name);
    const result = take(each);
    path.pop();
    return result;
  }

  function take(value: unknown): Json {
    if (path.length > max_depth) throw new ParseError(`nested deeper than ${max_depth}`);
    if (typeof value === 'string') {
      if (!value.startsWith(mark)) return printable(value);
      exact.push(path.join('.'));
      return value.slice(1);
    }
    if (typeof value === 'number' || typeof value === 'boolean') return finite(value);
    if (Array.isArray(value)) return value.map((each, index) => at(String(index), each));
    if (typeof value !== 'object' || value === null) return null;
    const entries = Object.entries(value).map(([key, each]) => {
      const name = printable(key, max_name);
      return [name, at(name, each)] as const;
    });
    // fromEntries, not assignment: "__proto__" is a name like any other.
    return Object.fromEntries(entries);
  }

  return { value: take(value), exact };
}

const shown = (text: string, max = max_text): string => untrusted(text, max);

/** JSON of 1e400 is infinite. */
const finite = (value: number | boolean): Json =>
  Math.abs(Number(value)) === Number.POSITIVE_INFINITY ? null : value;

/** Whether the value is an object, not a list. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function quoteLongIntegers(text: string): string {
  const pieces: string[] = [];
  let taken = 0;
  const replace = (from: number, to: number, by: string): void => {
    pieces.push(text.slice(taken, from), by);
    taken = to;
  };
  quoteOrNumber.lastIndex = 0;
  for (let found = quoteOrNumber.exec(text); found; found = quoteOrNumber.exec(text)) {
    const { index } = found;
    const [token] = found;
    if (token === '"') {
      const end = endOfString(text, index + 1);
      const string = text.slice(index, end);
      if (string.includes('\\u0000')) replace(index, end, withoutNul(string));
      quoteOrNumber.lastIndex = end;
    } else if (/^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token))) {
      replace(index, index + token.length, `"\\u0000${token}"`);
    }
  }
  return taken === 0 ? text : pieces.join('') + text.slice(taken);
}

/** Index behind the closing quote. */
function endOfString(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 92) at++;
    else if (code === 34) return at + 1;
  }
  return text.length;
}

/** Escapes are taken in pairs: in "\\u0000" the first backslash escapes the second. */
const withoutNul = (string: string): string =>
  string.replace(/\\(?:u0000|.)/gs, (pair) => (pair === '\\u0000' ? ' ' : pair));
