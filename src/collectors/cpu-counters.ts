import type { ParseWarning } from '../../parsers/parsed.ts';
import { type ProcStat, parseProcStat } from '../../parsers/proc-stat/proc-stat.ts';
import { parseSchedStat, type SchedStat } from '../../parsers/schedstat/schedstat.ts';
import { toTracewrightError } from '../errors.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Unavailable } from '../reading.ts';
import { requiredText } from './required-file.ts';

export type StatCounters = Readonly<{ stat: ProcStat; warnings: readonly string[] }>;

/** /proc/stat, or FEATURE_UNAVAILABLE where /proc is not there. */
export function readProcStat(files: HostFiles): StatCounters {
  const { data, warnings } = parseProcStat(requiredText(files, '/proc/stat'));
  return { stat: data, warnings: inWords('/proc/stat', warnings) };
}

/** What a parser could not read, as the warnings of an answer. */
export const inWords = (source: string, warnings: readonly ParseWarning[]): string[] =>
  warnings.map(({ line, reason }) => `${source}, line ${line}: ${reason}`);

/** /proc/schedstat, or why there is nothing to take from it. */
export function readSchedStat(files: HostFiles): SchedStat | Unavailable {
  const what = 'latency, run_queue_wait';
  const file = files.read('/proc/schedstat');
  if (file.ok) {
    try {
      return parseSchedStat(file.text).data;
    } catch (thrown) {
      return { what, reason: `/proc/schedstat: ${toTracewrightError(thrown).message}.`, fix: null };
    }
  }
  const reason =
    file.absence === 'missing'
      ? 'No /proc/schedstat: the kernel was built without CONFIG_SCHEDSTATS. ' +
        'Waits of each process are in stats://aggregated/process.'
      : `/proc/schedstat cannot be read (${file.code}).`;
  return { what, reason, fix: null };
}
