import { type Pressure, parsePressure } from '../../parsers/pressure/pressure.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Reading, Unavailable } from '../reading.ts';
import {
  type CgroupCpuCounters,
  cpuBetween,
  type LimiterPeriods,
  limiterThrottled,
  readCgroupCpu,
  readCpuLimit,
  readLimiter,
} from './cgroup-cpu.ts';
import { type CgroupIoCounters, ioBetween, noCgroupIo, readCgroupIo } from './cgroup-io.ts';
import { cgroupIssues } from './cgroup-issues.ts';
import { type CgroupMemory, limit, readCgroupMemory } from './cgroup-memory.ts';
import {
  type CgroupChoice,
  type CgroupPlace,
  type CgroupPlaces,
  findCgroup,
} from './cgroup-places.ts';
import { type BusyCgroup, busiestCgroups, sampleTree } from './cgroup-tree.ts';
import { windowMeter } from './counter-window.ts';
import { stalledShares } from './host-activity.ts';
import { growth, round } from './rates.ts';
import { psiMetrics } from './snapshot-data.ts';
import { count } from './topology-words.ts';

export type CgroupSummary = ReturnType<typeof figuresOf> &
  Readonly<{
    issues: readonly string[];
    /** The groups that used most, where no group was asked for. */
    busiest?: readonly BusyCgroup[];
  }>;

export type CgroupParams = CgroupChoice & Readonly<{ duration_seconds: number }>;

/**
 * CPU, memory, I/O and tasks of one cgroup: limits and what it holds now, totals since it was made,
 * and its use during the window. Of v1 and v2.
 *
 * @throws TracewrightError INVALID_PARAMS, NOT_ALLOWED, PID_NOT_FOUND, CGROUP_NOT_FOUND,
 * FEATURE_UNAVAILABLE
 */
export async function collectCgroupSummary(
  ctx: Context,
  { duration_seconds, ...choice }: CgroupParams,
  call: Call,
): Promise<Reading<CgroupSummary>> {
  const { files } = ctx;
  const places = findCgroup(ctx, choice);
  const everything = choice.pid === undefined && choice.cgroup_path === undefined;
  call.progress('measuring the cgroup');
  const meter = windowMeter(() => ({
    group: sampleCgroup(files, places),
    tree: everything ? sampleTree(files, places) : null,
  }));
  const { before, after, window_ms } = await meter.measure(ctx, duration_seconds * 1000, call);
  const figures = figuresOf(files, places, before.group, after.group, window_ms);
  const issues = cgroupIssues(figures);
  const busiest =
    before.tree && after.tree ? busiestCgroups(before.tree, after.tree, window_ms) : null;
  return {
    data: { ...figures, issues, ...(busiest ? { busiest: busiest.rows } : {}) },
    source: sourceOf(places),
    window_ms,
    ...(busiest && busiest.total > busiest.rows.length
      ? { truncated: true, total: busiest.total, next: 'perf_cgroup_summary with cgroup_path' }
      : {}),
    warnings: busiest?.warnings ?? [],
    unavailable: missing(places, figures),
    summary: summary(places, figures, issues, busiest?.rows ?? []),
  };
}

type Sample = Readonly<{
  cpu: CgroupCpuCounters;
  limiter: LimiterPeriods;
  memory: CgroupMemory | null;
  io: CgroupIoCounters;
  pressure: Readonly<Record<'cpu' | 'memory' | 'io', Pressure | null>>;
}>;

function sampleCgroup(files: HostFiles, places: CgroupPlaces): Sample {
  return {
    cpu: readCgroupCpu(files, places),
    limiter: readLimiter(files, places.cpu),
    memory: readCgroupMemory(files, places.memory),
    io: readCgroupIo(files, places.io),
    pressure: {
      cpu: pressureIn(files, places.unified, 'cpu'),
      memory: pressureIn(files, places.unified, 'memory'),
      io: pressureIn(files, places.unified, 'io'),
    },
  };
}

/** v2 only. The root of a hybrid host stands for all processes, not for the groups of v1. */
function pressureIn(files: HostFiles, place: CgroupPlace | null, name: string): Pressure | null {
  const text = place && files.text(`${place.folder}/${name}.pressure`);
  return text === null ? null : parsePressure(text).data;
}

function figuresOf(
  files: HostFiles,
  places: CgroupPlaces,
  before: Sample,
  after: Sample,
  window_ms: number,
) {
  const limits = readCpuLimit(files, places.cpu);
  const { memory } = after;
  const psi = (name: 'cpu' | 'memory' | 'io') => {
    const now = after.pressure[name];
    return now && psiMetrics(now, stalledShares(before.pressure[name], now, window_ms));
  };
  const grown = (name: 'oom_kills' | 'limit_hits' | 'major_faults' | 'current_bytes') =>
    growth(before.memory?.[name], memory?.[name]);
  const { current_bytes } = memory ?? noMemory;
  const earlier = before.memory?.current_bytes ?? null;
  return {
    cgroup_path: untrusted(places.main.folder, 500),
    cgroup_version: places.main.version,
    folders: foldersOf(places),
    cpu: {
      ...after.cpu,
      ...limits,
      limited_by: limits.limited_by && untrusted(limits.limited_by, 500),
      window: {
        ...cpuBetween(before.cpu, after.cpu, limits, window_ms),
        /** Of the group around it that has the limit. */
        limiter_throttled_pct: limiterThrottled(before.limiter, after.limiter),
      },
      pressure: psi('cpu'),
    },
    memory: {
      ...(memory ?? noMemory),
      window: {
        change_bytes: current_bytes === null || earlier === null ? null : current_bytes - earlier,
        oom_kills: grown('oom_kills'),
        limit_hits: grown('limit_hits'),
        major_faults: grown('major_faults'),
      },
      pressure: psi('memory'),
    },
    io: {
      devices: ioBetween(files, before.io, after.io, window_ms),
      pressure: psi('io'),
    },
    pids: {
      current: places.pids && files.number(`${places.pids.folder}/pids.current`),
      max: places.pids && limit(files.text(`${places.pids.folder}/pids.max`)),
    },
  };
}

const noMemory: CgroupMemory = {
  current_bytes: null,
  max_bytes: null,
  usage_percent: null,
  effective_max_bytes: null,
  high_bytes: null,
  peak_bytes: null,
  anon_bytes: null,
  file_bytes: null,
  swap_bytes: null,
  oom_kills: null,
  limit_hits: null,
  major_faults: null,
};

/** Of v1, where a process may be in another group of each hierarchy. */
function foldersOf({ cpu, memory, io, pids }: CgroupPlaces): Record<string, string | null> {
  const folder = (place: CgroupPlace | null) => place && untrusted(place.folder, 500);
  return { cpu: folder(cpu), memory: folder(memory), io: folder(io), pids: folder(pids) };
}

function sourceOf({ cpu, cpuacct, memory, io, pids, unified, main }: CgroupPlaces): string {
  const each = [cpu, cpuacct, memory, io, pids, unified];
  const folders = new Set(each.flatMap((place) => (place ? [place.folder] : [])));
  return `${[...folders].map((folder) => untrusted(folder)).join(', ')} (cgroup v${main.version})`;
}

type Figures = ReturnType<typeof figuresOf>;

function missing(places: CgroupPlaces, { cpu, memory, io, pids }: Figures): Unavailable[] {
  const gap = (what: string, reason: string): Unavailable => ({ what, reason, fix: null });
  const root = places.main.path === '/';
  const rootReason = 'The root cgroup has no such file: perf_snapshot tells of the whole host.';
  const outside = (name: string): string => {
    if (places.in_root.includes(name)) {
      return `In the hierarchy of ${name} the process is in the root, which counts no group apart.`;
    }
    return root ? rootReason : `The ${name} controller is not on for this cgroup.`;
  };
  return [
    ...(cpu.usage_usec === null ? [gap('cpu', outside('cpu'))] : []),
    ...(cpu.usage_usec !== null && cpu.nr_throttled === null
      ? [gap('cpu.nr_throttled, cpu.throttled_usec', outside('cpu'))]
      : []),
    ...(memory.current_bytes === null ? [gap('memory', outside('memory'))] : []),
    ...(memory.current_bytes !== null && memory.usage_percent === null
      ? [gap('memory.usage_percent', 'Neither it nor a group around it has a memory limit.')]
      : []),
    ...(io.devices === null ? [noCgroupIo(places)] : []),
    ...(pids.current === null ? [gap('pids', outside('pids'))] : []),
    ...(cpu.pressure === null
      ? [gap('pressure', 'The kernel keeps pressure for groups of cgroup v2 only, and with PSI.')]
      : []),
  ];
}

function summary(
  places: CgroupPlaces,
  { cgroup_path, cpu, memory, pids }: Figures,
  issues: readonly string[],
  busiest: readonly BusyCgroup[],
): string[] {
  const mib = (bytes: number | null): string =>
    bytes === null ? 'unknown' : `${round(bytes / 2 ** 20)} MiB`;
  const of = memory.effective_max_bytes === null ? 'no limit' : mib(memory.effective_max_bytes);
  const held =
    memory.current_bytes === null
      ? 'Memory not counted apart'
      : `Memory ${mib(memory.current_bytes)} (${of}), ${memory.oom_kills ?? 'unknown'} OOM kills`;
  // A root has no limit.
  const limitTold = places.cpu !== null || places.in_root.includes('cpu');
  const { usage_cores } = cpu.window;
  const use = usage_cores === null ? 'CPU time not counted apart' : `${usage_cores} CPUs used`;
  const used = `${cgroup_path}: ${use}`;
  return [
    cpu.effective_limit_cores === null
      ? `${used}, ${limitTold ? 'no limit' : 'CPU limit unknown'}.`
      : `${used} of ${cpu.effective_limit_cores}; ${throttling(cpu.window)}.`,
    `${held}; ${pids.current === null ? 'number of tasks unknown' : count(pids.current, 'task')}.`,
    ...issues.slice(0, 3),
    ...(busiest[0] ? [busiestLine(busiest[0])] : []),
  ];
}

function throttling(window: Figures['cpu']['window']): string {
  const { limiter_throttled_pct, throttled_periods, periods } = window;
  return limiter_throttled_pct === null
    ? `throttled in ${throttled_periods ?? 'unknown'} of ${periods ?? 'unknown'} periods`
    : `the group with that limit is throttled in ${limiter_throttled_pct} % of its periods`;
}

function busiestLine({ path, usage_cores, memory_bytes }: BusyCgroup): string {
  return usage_cores === null
    ? `Group with most memory: ${path}, ${round((memory_bytes ?? 0) / 2 ** 20)} MiB.`
    : `Busiest group: ${path}, ${usage_cores} CPUs.`;
}
