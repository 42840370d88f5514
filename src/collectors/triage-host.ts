import { parsePidIo } from '../../parsers/pid-io/pid-io.ts';
import type { TriageFacts, TriageProcess } from '../analysis/triage-facts.ts';
import { type Unjudged, unjudged, useSignals } from '../analysis/use-method.ts';
import type { Call, Context } from '../context.ts';
import type { Unavailable } from '../reading.ts';
import { findCgroup } from './cgroup-places.ts';
import { type BusyCgroup, cgroupUses, sampleTree } from './cgroup-tree.ts';
import { type HostActivity, observeHost } from './host-activity.ts';
import { readInterrupts } from './interrupt-rates.ts';
import { pageBytes } from './page-size.ts';
import { scanProcesses } from './process-scan.ts';
import { compareScans, type ProcessUse } from './process-use.ts';
import { growth, percent, perSecond, round } from './rates.ts';
import { ownPid } from './traced-process.ts';
import { hardwareEvents, useFactsOf, useUnavailable } from './use-facts.ts';

/** What one window of /proc tells, without any tracer. */
export type HostView = Readonly<{
  facts: Pick<
    TriageFacts,
    | 'cpus'
    | 'signals'
    | 'processes'
    | 'busy_pct'
    | 'iowait_pct'
    | 'memory_total_bytes'
    | 'major_faults_per_s'
    | 'refaults'
    | 'forks_per_s'
    | 'switches_per_s'
    | 'throttled'
    | 'memory_limited'
  >;
  activity: HostActivity;
  /** Without these nobody can say that the host is healthy. */
  gaps: readonly Unjudged[];
  window_ms: number;
  warnings: readonly string[];
  unavailable: readonly Unavailable[];
}>;

const most_processes_for_io = 3000;

/** Host, processes and cgroups over the same window. */
export async function viewHost(ctx: Context, window_ms: number, call: Call): Promise<HostView> {
  const scanned = await scanProcesses(ctx, call);
  const io_before = readIo(ctx, [...scanned.processes.keys()]);
  const groups_before = groupSample(ctx);
  const interrupts = readInterrupts(ctx.files);
  const activity = await observeHost(ctx, window_ms, call);
  const events = hardwareEvents(interrupts, readInterrupts(ctx.files));
  const groups_after = groupSample(ctx);
  const after = await scanProcesses(ctx, call);
  const io_after = readIo(ctx, [...after.processes.keys()]);
  const own = ownPid(ctx);
  const page_bytes = pageBytes(ctx);
  const elapsed_ms = activity.window_ms;
  const groups =
    groups_before && groups_after ? cgroupUses(groups_before, groups_after, elapsed_ms) : null;
  const throttled = groups && throttledGroups(groups);
  const found = useFactsOf(ctx, activity, events);
  const facts =
    throttled === null
      ? found
      : { ...found, cpu: { ...found.cpu, throttled: throttled.length > 0 } };
  return {
    facts: {
      cpus: activity.cpus_online,
      signals: useSignals(facts),
      processes: compareScans(scanned, after)
        .uses.filter(({ now }) => now.pid !== own)
        .map((use) => processOf(use, page_bytes, io_before, io_after)),
      busy_pct: facts.cpu.busy_pct,
      iowait_pct: activity.shares.iowait_pct,
      memory_total_bytes: activity.memory?.total_bytes ?? null,
      major_faults_per_s: perSecond(activity.paging.major_faults, elapsed_ms),
      refaults: refaultsOf(activity, page_bytes),
      forks_per_s: perSecond(activity.events.forks, elapsed_ms),
      switches_per_s: perSecond(activity.events.context_switches, elapsed_ms),
      throttled,
      memory_limited: groups && limitedGroups(groups, elapsed_ms),
    },
    activity,
    gaps: unjudged(facts),
    window_ms: elapsed_ms,
    warnings: activity.warnings,
    unavailable: [...activity.unavailable, ...useUnavailable(facts)],
  };
}

type IoBytes = ReadonlyMap<number, Readonly<{ bytes: number; at_ms: number }>>;

function processOf(
  { now, window_ms, runtime_ms, waited }: ProcessUse,
  page_bytes: number | null,
  before: IoBytes,
  after: IoBytes,
): TriageProcess {
  const [then, last] = [before.get(now.pid), after.get(now.pid)];
  const moved = then && last ? growth(then.bytes, last.bytes) : null;
  return {
    pid: now.pid,
    comm: now.comm,
    cpu_pct: window_ms > 0 ? round((runtime_ms / window_ms) * 100, 1) : 0,
    wait_pct: waited && window_ms > 0 ? round(waited.wait_ns / 1e4 / window_ms, 1) : null,
    rss_bytes: page_bytes === null ? null : now.rss_pages * page_bytes,
    io_bytes_per_s:
      moved === null || !then || !last ? null : perSecond(moved, last.at_ms - then.at_ms),
    state: now.state,
  };
}

/** Closed to us for processes of others, unless we are root. */
function readIo(ctx: Context, pids: readonly number[]): IoBytes {
  if (pids.length > most_processes_for_io) return new Map();
  const entries = pids.flatMap((pid) => {
    const text = ctx.files.text(`/proc/${pid}/io`);
    const io = text === null ? null : parsePidIo(text);
    if (io === null) return [];
    return [[pid, { bytes: io.read_bytes + io.write_bytes, at_ms: ctx.monotonicMs() }] as const];
  });
  return new Map(entries);
}

/** Null where no cgroup hierarchy can be read. */
function groupSample(ctx: Context) {
  try {
    return sampleTree(ctx.files, findCgroup(ctx, {}));
  } catch {
    return null;
  }
}

function throttledGroups(groups: readonly BusyCgroup[]) {
  return groups
    .flatMap(({ path, throttled_pct }) =>
      throttled_pct !== null && throttled_pct > 0 ? [{ path, throttled_pct }] : [],
    )
    .sort((a, b) => b.throttled_pct - a.throttled_pct);
}

/** Groups that met their memory limit, most often first. */
function limitedGroups(groups: readonly BusyCgroup[], window_ms: number) {
  return groups
    .flatMap(({ path, limit_hits, memory_bytes }) => {
      const hits_per_s = perSecond(limit_hits, window_ms);
      return hits_per_s === null || hits_per_s === 0 ? [] : [{ path, hits_per_s, memory_bytes }];
    })
    .sort((a, b) => b.hits_per_s - a.hits_per_s);
}

/** How much of what was read had been in memory shortly before. */
function refaultsOf(
  { paging, window_ms }: HostActivity,
  page_bytes: number | null,
): TriageFacts['refaults'] {
  const per_s = perSecond(paging.refaults, window_ms);
  if (per_s === null || paging.refaults === null) return null;
  const again_kib = page_bytes === null ? null : paging.refaults * (page_bytes / 1024);
  const share_pct = percent(again_kib, paging.read_kib ?? 0);
  return { per_s, share_pct: share_pct === null ? null : Math.min(100, share_pct) };
}
