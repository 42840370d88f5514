/** One system call of one thread. */
export type PerfTraceRow = Readonly<{
  tid: number;
  comm: string;
  name: string;
  calls: number;
  errors: number | null;
  total_ms: number | null;
  max_ms: number | null;
}>;

const thread = /^ (.*) \((\d{1,10})\), \d+ events, [\d.]+%$/;
const heading = /^ {3}syscall\s+calls\s/;

/**
 * What `perf trace -s` prints (tools/perf/builtin-trace.c; checked with 6.1): a table for each thread,
 * with times in milliseconds. Columns are found by their names; perf before 5.1 has no `errors`.
 *
 *      memfd:sealed-91 (24630), 222 events, 0.3%
 *
 *        syscall            calls  errors  total       min       avg       max       stddev
 *        futex                 37     37  1813.296     0.000    49.008    53.479      2.79%
 *
 * Lines that are none of these are skipped.
 */
export function parsePerfTrace(text: string): readonly PerfTraceRow[] {
  const rows: PerfTraceRow[] = [];
  let of = { tid: 0, comm: '' };
  let columns: readonly string[] = [];
  for (const line of text.split('\n')) {
    const [, comm, tid] = thread.exec(line) ?? [];
    if (comm !== undefined) of = { tid: Number(tid), comm };
    else if (heading.test(line)) columns = line.trim().split(/\s+/);
    else {
      const row = readRow(line, columns);
      if (row) rows.push({ ...of, ...row });
    }
  }
  return rows;
}

function readRow(
  line: string,
  columns: readonly string[],
): Omit<PerfTraceRow, 'tid' | 'comm'> | null {
  if (!/^ {3}[a-z_]\w*\s+\d/.test(line)) return null;
  const fields = line.trim().split(/\s+/);
  if (fields.length !== columns.length) return null;
  const value = (name: string): number | null => {
    const text = fields[columns.indexOf(name)];
    return text === undefined || !/^\d{1,15}(?:\.\d+)?$/.test(text) ? null : Number(text);
  };
  const [calls, total_ms] = [value('calls'), value('total')];
  if (calls === null || total_ms === null) return null;
  return { name: fields[0] ?? '', calls, errors: value('errors'), total_ms, max_ms: value('max') };
}
