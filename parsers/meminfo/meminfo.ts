import { completeLines } from '../lines.ts';
import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

export type MemInfo = Readonly<{
  /** Lines that end in "kB", which the kernel means as 1024 bytes, in bytes. */
  bytes: Readonly<Record<string, number>>;
  /** Lines without a unit (HugePages_*): numbers of pages. */
  pages: Readonly<Record<string, number>>;
}>;

// Of a node: "Node 0 MemTotal:        4417740 kB". Names hold brackets: "Active(anon)".
const memoryLine = /^(?:Node \d+ )?([\w()]+): +(\d{1,20})( kB)?$/;

/**
 * `/proc/meminfo` (fs/proc/meminfo.c) and `/sys/devices/system/node/node<N>/meminfo`
 * (drivers/base/node.c), which puts "Node <N>" in front and has `MemUsed`:
 *
 *     MemTotal:       24684084 kB
 *     HugePages_Total:       0
 *
 * Which lines there are depends on version and configuration: MemAvailable came with 3.14.
 * A line of another form becomes a warning.
 */
export function parseMemInfo(text: string): Parsed<MemInfo> {
  const warnings: ParseWarning[] = [];
  const bytes: [string, number][] = [];
  const pages: [string, number][] = [];
  for (const [index, line] of completeLines(text).entries()) {
    const [, name, value, unit] = memoryLine.exec(line) ?? [];
    if (name === undefined) warnings.push(warn(index + 1, 'not "<name>: <number> [kB]"', line));
    else if (unit === undefined) pages.push([name, Number(value)]);
    else bytes.push([name, Number(value) * 1024]);
  }
  return { data: { bytes: Object.fromEntries(bytes), pages: Object.fromEntries(pages) }, warnings };
}
