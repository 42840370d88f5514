import { completeLines } from '../lines.ts';

const counterLine = /^(\w+) (\d{1,20})$/;

/**
 * `/proc/vmstat` (mm/vmstat.c): counters and page counts by name. pswpin, pswpout and nr_* are
 * pages; pgpgin and pgpgout are KiB in spite of their names; pgfault counts faults of both kinds.
 *
 *     pgfault 3221424
 *     pgmajfault 1679
 *
 * Names come and go between kernels: look up by name. Lines of another form are skipped.
 */
export function parseVmstat(text: string): Readonly<Record<string, number>> {
  const counters: [string, number][] = [];
  for (const line of completeLines(text)) {
    const [, name, value] = counterLine.exec(line) ?? [];
    if (name !== undefined) counters.push([name, Number(value)]);
  }
  return Object.fromEntries(counters);
}
