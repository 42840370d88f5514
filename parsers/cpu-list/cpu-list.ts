import { ParseError } from '../parsed.ts';

/** Above any NR_CPUS and MAX_NUMNODES that Linux can be built with. */
const max_id = 65_535;

const item = /^(\d{1,5})(?:-(\d{1,5})(?::(\d{1,5})\/(\d{1,5}))?)?$/;

/**
 * Parses a list of CPU or node ids as the kernel writes it (`%*pbl`, lib/bitmap-str.c) and takes it
 * (`bitmap_parselist`): /sys/devices/system/cpu/online, nodeN/cpulist, cpuset.cpus, Cpus_allowed_list.
 *
 *     0-3,8,10-11
 *     0-63:2/8        the first 2 of every 8 (only people write this form, the kernel never does)
 *
 * Empty text is an empty list: the kernel writes it for "no CPU". Blanks separate as commas do,
 * which is how cpufreq's affected_cpus is written. Ascending, each id once. Before Linux 5.15 sysfs
 * cut a list at 4,096 bytes: a torn end is a ParseError where it shows, and a shorter number where
 * it does not.
 */
export function parseCpuList(text: string): number[] {
  const ids: number[] = [];
  for (const part of text.split(/[\s,]+/)) {
    if (part !== '') pushRange(ids, part);
  }
  const ascending = ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? id));
  return ascending ? ids : [...new Set(ids)].sort((a, b) => a - b);
}

function pushRange(ids: number[], part: string): void {
  const match = item.exec(part);
  if (!match) throw new ParseError(`not a CPU list item: ${JSON.stringify(part.slice(0, 40))}`);
  const first = Number(match[1]);
  const last = Number(match[2] ?? first);
  const used = Number(match[3] ?? 1);
  const group = Number(match[4] ?? 1);
  if (last < first || last > max_id || group === 0 || used > group) {
    throw new ParseError(`not a CPU range: ${part}`);
  }
  for (let start = first; start <= last; start += group) {
    for (let id = start; id < start + used && id <= last; id++) ids.push(id);
  }
}

/** Ascending ids as the kernel writes them: `0-3,8,10-11`, and empty text for none. */
export function formatCpuList(ids: readonly number[]): string {
  const ranges: string[] = [];
  let first = -1;
  for (const [index, id] of ids.entries()) {
    if (first < 0) first = id;
    if (ids[index + 1] === id + 1) continue;
    ranges.push(first === id ? String(id) : `${first}-${id}`);
    first = -1;
  }
  return ranges.join(',');
}
