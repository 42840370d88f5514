import { type DiskStats, parseDiskStats } from '../../parsers/diskstats/diskstats.ts';
import { type LoadAverage, parseLoadAverage } from '../../parsers/loadavg/loadavg.ts';
import { type MemInfo, parseMemInfo } from '../../parsers/meminfo/meminfo.ts';
import { type NetDevice, parseNetDev } from '../../parsers/net-dev/net-dev.ts';
import { type NetSnmp, parseNetSnmp } from '../../parsers/net-snmp/net-snmp.ts';
import { type Parsed, ParseError } from '../../parsers/parsed.ts';
import type { ProcStat } from '../../parsers/proc-stat/proc-stat.ts';
import { parseVmstat } from '../../parsers/vmstat/vmstat.ts';
import type { Context } from '../context.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Unavailable } from '../reading.ts';
import { inWords, readProcStat } from './cpu-counters.ts';
import { type HostPressure, noPressure, readHostPressure } from './host-pressure.ts';

/** All counters of the host at one moment; null where a file is closed or not understood. */
export type HostCounters = Readonly<{
  at_ms: number;
  stat: ProcStat;
  load: LoadAverage | null;
  memory: MemInfo | null;
  vmstat: Readonly<Record<string, number>> | null;
  disks: readonly DiskStats[] | null;
  links: readonly NetDevice[] | null;
  snmp: NetSnmp | null;
  netstat: NetSnmp | null;
  pressure: HostPressure | null;
  warnings: readonly string[];
  unavailable: readonly Unavailable[];
}>;

export const host_sources =
  '/proc/{stat,loadavg,meminfo,vmstat,diskstats}, /proc/net/{dev,snmp,netstat}, /proc/pressure';

/** @throws TracewrightError FEATURE_UNAVAILABLE where /proc/stat cannot be read. */
export function readHostCounters({ files, monotonicMs }: Context): HostCounters {
  const at_ms = monotonicMs();
  const { stat, warnings } = readProcStat(files);
  const notes = { warnings: [...warnings], unavailable: [] as Unavailable[] };
  const pressure = readHostPressure(files);
  if (pressure === null) notes.unavailable.push(noPressure);
  return {
    at_ms,
    stat,
    load: optional(files, '/proc/loadavg', plain(parseLoadAverage), notes),
    memory: optional(files, '/proc/meminfo', parseMemInfo, notes),
    vmstat: optional(files, '/proc/vmstat', plain(parseVmstat), notes),
    disks: optional(files, '/proc/diskstats', parseDiskStats, notes),
    links: optional(files, '/proc/net/dev', parseNetDev, notes),
    snmp: optional(files, '/proc/net/snmp', parseNetSnmp, notes),
    netstat: optional(files, '/proc/net/netstat', parseNetSnmp, notes),
    pressure,
    ...notes,
  };
}

type Notes = Readonly<{ warnings: string[]; unavailable: Unavailable[] }>;

const plain =
  <T>(parse: (text: string) => T) =>
  (text: string): Parsed<T> => ({ data: parse(text), warnings: [] });

/** What the file holds, or null with a note on why. */
function optional<T>(
  files: HostFiles,
  path: string,
  parse: (text: string) => Parsed<T>,
  notes: Notes,
): T | null {
  const file = files.read(path);
  if (!file.ok) {
    const reason = `${path} cannot be read (${file.code}).`;
    notes.unavailable.push({ what: path, reason, fix: null });
    return null;
  }
  try {
    const { data, warnings } = parse(file.text);
    notes.warnings.push(...inWords(path, warnings));
    return data;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    notes.unavailable.push({ what: path, reason: `${path}: ${error.message}.`, fix: null });
    return null;
  }
}
