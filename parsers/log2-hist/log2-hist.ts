import type { Bucket } from '../bpftrace-json/bpftrace-json.ts';

/** One table of a tracer, with the line that names it ("pid = 28475 bash"), null for the only one. */
export type Log2Table = Readonly<{
  label: string | null;
  unit: 'us' | 'ms' | 'ns' | null;
  buckets: readonly Bucket[];
}>;

const heading = /^ {5}(\S(?:.*\S)?)\s+: count\s+distribution$/;
/** Both print fixed widths, which no name of a process (15 characters) can imitate. */
const row = /^ *(\d{1,20}) -> (\d{1,20}) +: (\d{1,20}) +\|[* +]*\|$/;
const label = /^\S.* = .+$/;
const units: Readonly<Record<string, Log2Table['unit']>> = {
  usecs: 'us',
  msecs: 'ms',
  nsecs: 'ns',
};

/**
 * Histograms by power of two as libbpf-tools (trace_helpers.c, print_log2_hist) and BCC (table.py)
 * print them; checked with 0.26. A range holds both of its ends.
 *
 *          usecs               : count    distribution
 *              2 -> 3          : 1267     |****************************************|
 *
 * Empty ranges are left out. A line that is neither heading, range nor name is skipped.
 */
export function parseLog2Hist(text: string): readonly Log2Table[] {
  const tables: (Omit<Log2Table, 'buckets'> & { buckets: Bucket[] })[] = [];
  let name: string | null = null;
  for (const line of text.split('\n')) {
    const [, unit] = heading.exec(line) ?? [];
    const [, min, max, count] = row.exec(line) ?? [];
    if (unit !== undefined) {
      tables.push({ label: name, unit: units[unit] ?? null, buckets: [] });
      name = null;
    } else if (count !== undefined) {
      if (count === '0') continue;
      tables.at(-1)?.buckets.push({ min: Number(min), max: Number(max), count: Number(count) });
    } else if (label.test(line)) name = line;
  }
  return tables;
}
