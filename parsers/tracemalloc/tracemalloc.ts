import { ParseError } from '../parsed.ts';
import { untrusted } from '../untrusted.ts';

/** Memory that a line held at each snapshot, while the program ran. */
export type HeldMemory = Readonly<{ file: string; line: number; bytes: readonly number[] }>;

export type TracemallocReport = Readonly<{
  interval_s: number;
  elapsed_s: number;
  /** `completed`, `exit CODE`, `interrupted`, or the name of the exception. */
  exit: string;
  lines: readonly HeldMemory[];
}>;

/** What scripts/python/tracemalloc-probe.py writes. */
export function parseTracemalloc(input: string): TracemallocReport {
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch {
    // biome-ignore lint/style/useErrorCause: the cause quotes the input, which may be anybody's text
    throw new ParseError('not JSON, or its end is missing');
  }
  if (!isReport(value)) throw new ParseError('not a report of the tracemalloc probe');
  return {
    interval_s: value.interval_s,
    elapsed_s: value.elapsed_s,
    exit: untrusted(value.exit, 80),
    lines: value.lines.flatMap(readLine),
  };
}

type Report = { interval_s: number; elapsed_s: number; exit: string; lines: unknown[] };

function isReport(value: unknown): value is Report {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'interval_s' in value &&
    isNumber(value.interval_s) &&
    'elapsed_s' in value &&
    isNumber(value.elapsed_s) &&
    'exit' in value &&
    typeof value.exit === 'string' &&
    'lines' in value &&
    Array.isArray(value.lines)
  );
}

/** JSON of 1e400 is infinite. */
const isNumber = (value: unknown): value is number => Number.isFinite(value);

function readLine(row: unknown): HeldMemory[] {
  if (
    typeof row !== 'object' ||
    row === null ||
    !('file' in row && 'line' in row && 'bytes' in row)
  ) {
    return [];
  }
  const { file, line, bytes } = row;
  if (typeof file !== 'string' || !isNumber(line) || !Array.isArray(bytes)) return [];
  const numbers = bytes.filter((each): each is number => Number.isFinite(each));
  return [{ file: untrusted(file, 1000), line, bytes: numbers }];
}
