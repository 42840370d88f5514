import { parseCpuMax } from '../../parsers/cgroup-cpu-max/cgroup-cpu-max.ts';
import { parseCgroupFlat } from '../../parsers/cgroup-flat/cgroup-flat.ts';
import { ParseError } from '../../parsers/parsed.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { CgroupPlace, CgroupPlaces } from './cgroup-places.ts';
import { growth, percent, round } from './rates.ts';

/** Since the cgroup was made, microseconds as v2 counts them. Null: not counted here. */
export type CgroupCpuCounters = Readonly<{
  usage_usec: number | null;
  user_usec: number | null;
  system_usec: number | null;
  /** Periods in which it had something to run while it had a limit. */
  nr_periods: number | null;
  nr_throttled: number | null;
  throttled_usec: number | null;
}>;

export function readCgroupCpu(files: HostFiles, places: CgroupPlaces): CgroupCpuCounters {
  const { cpu, cpuacct } = places;
  const stat = flat(files, cpu, 'cpu.stat');
  const common = {
    nr_periods: stat['nr_periods'] ?? null,
    nr_throttled: stat['nr_throttled'] ?? null,
  };
  if (cpu?.version === 2) {
    return {
      usage_usec: stat['usage_usec'] ?? null,
      user_usec: stat['user_usec'] ?? null,
      system_usec: stat['system_usec'] ?? null,
      ...common,
      throttled_usec: stat['throttled_usec'] ?? null,
    };
  }
  // v1 counts in nanoseconds.
  const usec = (ns: number | null | undefined): number | null =>
    ns == null ? null : Math.round(ns / 1000);
  const account = (name: string): number | null =>
    cpuacct === null ? null : usec(files.number(`${cpuacct.folder}/${name}`));
  return {
    usage_usec: account('cpuacct.usage'),
    user_usec: account('cpuacct.usage_user'),
    system_usec: account('cpuacct.usage_sys'),
    ...common,
    throttled_usec: usec(stat['throttled_time']),
  };
}

/** The periods of the group that limits it, where that is one around it. */
export type LimiterPeriods = Readonly<{ nr_periods: number; nr_throttled: number }> | null;

export function readLimiter(files: HostFiles, place: CgroupPlace | null): LimiterPeriods {
  const { limited_by } = readCpuLimit(files, place);
  if (limited_by === null || limited_by === place?.folder) return null;
  const stat = parseCgroupFlat(files.text(`${limited_by}/cpu.stat`) ?? '');
  const [nr_periods, nr_throttled] = [stat['nr_periods'], stat['nr_throttled']];
  return nr_periods === undefined || nr_throttled === undefined
    ? null
    : { nr_periods, nr_throttled };
}

/** Of the periods of that group; null where the limit is its own, or there is none. */
export const limiterThrottled = (before: LimiterPeriods, after: LimiterPeriods): number | null =>
  percent(
    growth(before?.nr_throttled, after?.nr_throttled),
    growth(before?.nr_periods, after?.nr_periods) ?? 0,
  );

export const flat = (files: HostFiles, place: CgroupPlace | null, name: string) =>
  parseCgroupFlat((place && files.text(`${place.folder}/${name}`)) ?? '');

/** CPUs that one cgroup may use; null where it has no limit of its own. */
function ownLimit(files: HostFiles, version: 1 | 2, folder: string): number | null {
  if (version === 1) {
    const quota = files.number(`${folder}/cpu.cfs_quota_us`);
    const period = files.number(`${folder}/cpu.cfs_period_us`);
    return quota === null || quota < 0 || !period ? null : round(quota / period, 3);
  }
  const text = files.text(`${folder}/cpu.max`);
  if (text === null) return null;
  try {
    const { quota_us, period_us } = parseCpuMax(text);
    return quota_us === null ? null : round(quota_us / period_us, 3);
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

export type CpuLimit = Readonly<{
  limit_cores: number | null;
  /** The tightest of its own limit and those of the groups it is in. */
  effective_limit_cores: number | null;
  limited_by: string | null;
}>;

export function readCpuLimit(files: HostFiles, place: CgroupPlace | null): CpuLimit {
  if (place === null) {
    return { limit_cores: null, effective_limit_cores: null, limited_by: null };
  }
  let tightest: Readonly<{ cores: number; folder: string }> | null = null;
  for (const folder of withAncestors(place)) {
    const cores = ownLimit(files, place.version, folder);
    if (cores !== null && (tightest === null || cores < tightest.cores)) {
      tightest = { cores, folder };
    }
  }
  return {
    limit_cores: ownLimit(files, place.version, place.folder),
    effective_limit_cores: tightest?.cores ?? null,
    limited_by: tightest?.folder ?? null,
  };
}

/** The folder of a cgroup and those of the groups around it, up to what is mounted. */
export function withAncestors({ folder, mount_point }: CgroupPlace): readonly string[] {
  const folders: string[] = [];
  for (let at = folder; at.length >= mount_point.length; at = at.slice(0, at.lastIndexOf('/'))) {
    folders.push(at);
  }
  return folders;
}

/** What a cgroup did with CPU time during a window. */
export function cpuBetween(
  before: CgroupCpuCounters,
  after: CgroupCpuCounters,
  { effective_limit_cores }: CpuLimit,
  window_ms: number,
) {
  const grown = (name: keyof CgroupCpuCounters): number | null => growth(before[name], after[name]);
  const cores = (usec: number | null): number | null =>
    usec === null || window_ms <= 0 ? null : round(usec / 1000 / window_ms, 3);
  const usage_cores = cores(grown('usage_usec'));
  const periods = grown('nr_periods');
  const throttled_periods = grown('nr_throttled');
  const throttled_usec = grown('throttled_usec');
  return {
    usage_cores,
    user_cores: cores(grown('user_usec')),
    system_cores: cores(grown('system_usec')),
    usage_of_limit_pct: percent(usage_cores, effective_limit_cores ?? 0),
    periods,
    throttled_periods,
    /** Of the periods in which it ran: null where it has no limit or did not run. */
    throttled_pct: percent(throttled_periods, periods ?? 0),
    throttled_ms: throttled_usec === null ? null : round(throttled_usec / 1000),
  };
}
