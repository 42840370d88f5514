import { completeLines } from '../lines.ts';
import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

/** By "major:minor", then by name. Null: no limit. */
export type CgroupIo = Readonly<Record<string, Readonly<Record<string, number | null>>>>;

/**
 * `io.stat` and `io.max` of cgroup v2 (block/blk-cgroup.c, block/blk-throttle.c): bytes and requests
 * per device, in io.max per second.
 *
 *     254:0 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0
 *     254:0 rbps=2097152 wbps=max riops=max wiops=120
 *
 * cost.* of the iocost controller and what else is no whole number is left out; a device that never
 * was used may stand there with its number alone. A line without one becomes a warning.
 */
export function parseCgroupIo(text: string): Parsed<CgroupIo> {
  const warnings: ParseWarning[] = [];
  const devices: [string, Record<string, number | null>][] = [];
  for (const [index, line] of completeLines(text).entries()) {
    const [, device, rest = ''] = /^(\d+:\d+)((?: .*)?)$/.exec(line) ?? [];
    if (device === undefined) {
      warnings.push(warn(index + 1, 'does not begin with a device', line));
      continue;
    }
    const pairs = [...rest.matchAll(/ (\w+)=(\d{1,20}|max)(?= |$)/g)].map(
      ([, name = '', value]): [string, number | null] => [
        name,
        value === 'max' ? null : Number(value),
      ],
    );
    devices.push([device, Object.fromEntries(pairs)]);
  }
  return { data: Object.fromEntries(devices), warnings };
}
