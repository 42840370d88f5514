import { isObject, type Json } from '../../parsers/scx-stats/exact-json.ts';

/** A part that was left out because it alone is larger than an answer. */
export type LeftOut = Readonly<{ path: string; entries: number; bytes: number }>;

export type JsonPart = Readonly<{
  value: Json;
  left_out: readonly LeftOut[];
  /** Entries of the value before anything was cut; 0 for a number or text. */
  total: number;
  /** Where the next page of entries starts, or null. */
  next_offset: number | null;
}>;

const left_out_rows = 40;

/**
 * The value at a path of names with dots between them ("layers.web.slice.util"), or undefined. A
 * name may itself hold dots: the longest one that leads on is taken.
 */
export function partAt(value: Json, path: string): Json | undefined {
  if (path === '') return value;
  const names = entriesOf(value)
    .filter(([name]) => path === name || path.startsWith(`${name}.`))
    .sort(([a], [b]) => b.length - a.length);
  for (const [name, each] of names) {
    const found = partAt(each, path.slice(name.length + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Names that can follow in a path. */
export function namesOf(value: Json): readonly string[] {
  return entriesOf(value).map(([name]) => name);
}

/**
 * Whole entries of an object or list from `offset` on, until `limit` or the byte budget is reached.
 * An entry larger than the budget is left out and named.
 */
export function cutJson(
  value: Json,
  at: Readonly<{ path: string; limit: number; offset: number }>,
  budget_bytes: number,
): JsonPart {
  const entries = entriesOf(value);
  const taken: (readonly [string, Json])[] = [];
  const left_out: LeftOut[] = [];
  let bytes = 0;
  let end = at.offset;
  for (const [name, each] of entries.slice(at.offset, at.offset + at.limit)) {
    const size = Buffer.byteLength(JSON.stringify(each)) + name.length + 4;
    if (size > budget_bytes) {
      if (left_out.length === left_out_rows) break;
      const path = at.path === '' ? name : `${at.path}.${name}`;
      left_out.push({ path, entries: entriesOf(each).length, bytes: size });
    } else if (bytes + size > budget_bytes) break;
    else {
      bytes += size;
      taken.push([name, each]);
    }
    end++;
  }
  const whole = Array.isArray(value) ? taken.map(([, each]) => each) : Object.fromEntries(taken);
  return {
    value: entries.length === 0 ? value : whole,
    left_out,
    total: entries.length,
    next_offset: end < entries.length ? end : null,
  };
}

function entriesOf(value: Json): readonly (readonly [string, Json])[] {
  if (Array.isArray(value)) return value.map((each, index) => [String(index), each] as const);
  return isObject(value) ? Object.entries(value) : [];
}
