import { parseBigJson, type U64 } from './big-json.ts';
import { ParseError, type ParseWarning, warn } from './parsed.ts';
import { untrusted } from './untrusted.ts';

/** One object of a listing of bpftool. */
export type Row = Readonly<Record<string, unknown>>;

export type Rows = Readonly<{
  rows: readonly Row[];
  /** What bpftool said went wrong. It stands beside the rows that it had printed until then. */
  errors: readonly string[];
  warnings: readonly ParseWarning[];
}>;

/**
 * Output of `bpftool -j <object> show`: an array of objects. A failure is an object
 * `{"error": "…"}`, alone or as an element of the array (tools/bpf/bpftool/common.c, p_err).
 */
export function bpftoolRows(text: string): Rows {
  const parsed = parseBigJson(text);
  const elements = Array.isArray(parsed) ? parsed : [parsed];
  const rows: Row[] = [];
  const errors: string[] = [];
  const warnings: ParseWarning[] = [];
  for (const element of elements) {
    if (!isRow(element)) warnings.push(warn(1, 'not an object', JSON.stringify(element)));
    else if (typeof element['error'] === 'string') errors.push(untrusted(element['error']));
    else rows.push(element);
  }
  if (!Array.isArray(parsed) && errors.length === 0) throw new ParseError('not a list of bpftool');
  return { rows, errors, warnings };
}

export function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function numberOf(row: Row, name: string): number | null {
  const value = row[name];
  // JSON of 1e400 is infinite.
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

export function u64Of(row: Row, name: string): U64 | null {
  const value = row[name];
  return typeof value === 'string' ? value : numberOf(row, name);
}

export function textOf(row: Row, name: string): string | null {
  const value = row[name];
  return typeof value === 'string' ? untrusted(value) : null;
}

/** A type that the libbpf in bpftool does not know is printed as its number. */
export function typeOf(row: Row): string {
  return textOf(row, 'type') ?? `type_${numberOf(row, 'type') ?? 'unknown'}`;
}

/** Who holds the object, where this bpftool was built to tell (`"skeletons": true` in its version). */
export function holdersOf(row: Row): readonly Holder[] | null {
  const pids = row['pids'];
  if (!Array.isArray(pids)) return null;
  return pids.filter(isRow).flatMap((each) => {
    const pid = numberOf(each, 'pid');
    return pid === null ? [] : [{ pid, comm: textOf(each, 'comm') }];
  });
}

export type Holder = Readonly<{ pid: number; comm: string | null }>;
