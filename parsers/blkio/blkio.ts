import { completeLines } from '../lines.ts';
import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

/** Bytes or requests by "major:minor", then by operation (Read, Write, Sync, Async, Discard, Total). */
export type BlkioCounts = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * `blkio.throttle.io_service_bytes`, `blkio.throttle.io_serviced` and their `_recursive` forms of
 * cgroup v1 (block/blk-throttle.c, block/blk-cgroup.c):
 *
 *     254:0 Read 1459200
 *     Total 1459200
 *
 * The last line, the sum over all devices, is left out. A line of another form becomes a warning.
 */
export function parseBlkio(text: string): Parsed<BlkioCounts> {
  const warnings: ParseWarning[] = [];
  const devices = new Map<string, [string, number][]>();
  for (const [index, line] of completeLines(text).entries()) {
    if (/^Total \d+$/.test(line)) continue;
    const [, device, operation = '', count] = /^(\d+:\d+) (\w+) (\d{1,20})$/.exec(line) ?? [];
    if (device === undefined) {
      warnings.push(warn(index + 1, 'not "<device> <operation> <number>"', line));
      continue;
    }
    const counts = devices.get(device) ?? [];
    counts.push([operation, Number(count)]);
    devices.set(device, counts);
  }
  const data = [...devices].map(([device, counts]) => [device, Object.fromEntries(counts)]);
  return { data: Object.fromEntries(data), warnings };
}
