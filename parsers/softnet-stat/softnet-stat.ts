import { completeLines } from '../lines.ts';
import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

/** Packets since boot, summed over the CPUs. */
export type SoftnetStat = Readonly<{
  /** CPUs that were online, each of which has a line. */
  cpus: number;
  processed: number;
  /** Thrown away because the backlog of a CPU was full (net.core.netdev_max_backlog). */
  dropped: number;
  /** Times that a CPU stopped with packets left, its budget or its time being used up. */
  time_squeezed: number;
}>;

/**
 * `/proc/net/softnet_stat` (net/core/net-procfs.c, softnet_seq_show): hexadecimal, one line per
 * online CPU, without names; the first three columns are the same since 2.6.
 *
 *     00000b4a 00000000 00000003 00000000 00000000 00000000 00000000 00000000 00000000 00000000 …
 *
 * A line of another form becomes a warning.
 */
export function parseSoftnetStat(text: string): Parsed<SoftnetStat> {
  const warnings: ParseWarning[] = [];
  const sum = { cpus: 0, processed: 0, dropped: 0, time_squeezed: 0 };
  for (const [index, line] of completeLines(text).entries()) {
    const [, processed, dropped, squeezed] =
      /^([\da-f]{8}) ([\da-f]{8}) ([\da-f]{8})(?: [\da-f]{8})*$/.exec(line) ?? [];
    if (processed === undefined || dropped === undefined || squeezed === undefined) {
      warnings.push(warn(index + 1, 'not hexadecimal columns', line));
      continue;
    }
    sum.cpus += 1;
    sum.processed += Number.parseInt(processed, 16);
    sum.dropped += Number.parseInt(dropped, 16);
    sum.time_squeezed += Number.parseInt(squeezed, 16);
  }
  return { data: sum, warnings };
}
