import { policyName } from '../../parsers/pid-stat/pid-stat.ts';
import type { ExtTask } from '../../parsers/task-ext/task-ext.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { ProcessFacts } from './process-facts.ts';
import type { ProcessUse, Waited } from './process-use.ts';
import { percent, perSecond, round, sumKnown } from './rates.ts';
import { latency } from './run-queue-wait.ts';
import type { ThreadsSample, ThreadsUse } from './thread-samples.ts';
import type { TopologyCpu } from './topology.ts';

/** All that is known of one process; `detail` and `main` are null where it ended before its turn. */
export type MeasuredProcess = Readonly<{
  use: ProcessUse;
  detail: ThreadsUse | null;
  main: ThreadsSample['main'];
  facts: ProcessFacts;
  /** What sched_ext keeps of its main thread, where that was asked for. */
  ext?: ExtTask | undefined;
}>;

/** Where a CPU is. An empty map where the topology cannot be read. */
export type Places = ReadonlyMap<number, TopologyCpu>;

export type ProcessRow = ReturnType<typeof processRow>;

/**
 * The documented row of a process. policy, priority, nice, last_cpu, cpus_allowed and what the
 * scheduler keeps are those of its main thread; counts are sums over its threads.
 */
export function processRow(process: MeasuredProcess, places: Places, self: number | null) {
  const { use, detail, main, facts } = process;
  const { now } = use;
  const { stat, status } = facts;
  const last_cpu = stat?.processor ?? null;
  return {
    pid: now.pid,
    comm: untrusted(now.comm),
    cmdline: facts.cmdline,
    state: now.state,
    threads: now.threads,
    cpu_pct: percent(use.runtime_ms, use.window_ms),
    user_pct: percent(use.user_ms, use.window_ms),
    system_pct: percent(use.system_ms, use.window_ms),
    runtime_ms: round(use.runtime_ms, 3),
    total_runtime_ms: (now.utime_ticks + now.stime_ticks) * tick_ms,
    ...switchFields(detail),
    ...waitFields(process),
    ...fairFields(main),
    policy: stat && policyName(stat.policy),
    priority: stat?.priority ?? null,
    nice: stat?.nice ?? null,
    last_cpu,
    ...placeOf(last_cpu, places),
    cpus_allowed: status?.cpus_allowed_list ?? null,
    rss_bytes: status?.vm_rss_bytes ?? null,
    swap_bytes: status?.vm_swap_bytes ?? null,
    cgroup: facts.cgroup,
    ...extFields(process),
    kernel_thread: now.kernel_thread,
    ...(use.started_in_window ? { started_in_window: true } : {}),
    ...(stat === null ? { ended: true } : {}),
    ...(now.pid === self ? { self: true } : {}),
    ...(detail && detail.threads_sampled < detail.threads
      ? { threads_sampled: detail.threads_sampled }
      : {}),
  };
}

/** The fair class keeps nothing of a task that sched_ext schedules: the file then has old values. */
function fairFields(main: MeasuredProcess['main']) {
  if (main === null || main.ext_enabled) return { vruntime_ms: null, slice_ms: null };
  const slice_ms = main.slice_ns === null ? null : main.slice_ns / 1e6;
  return { vruntime_ms: main.vruntime_ms, slice_ms };
}

/** `sched_ext`: whether a sched_ext scheduler schedules it. Only then do the others mean anything. */
function extFields({ main, ext }: MeasuredProcess) {
  const sched_ext = main?.ext_enabled ?? null;
  const own = sched_ext && ext ? ext : null;
  return {
    layer_id: null,
    sched_ext,
    dsq_vtime: own?.dsq_vtime ?? null,
    ...(own ? { ext_slice_ns: own.slice_ns, dsq_id: own.dsq_id } : {}),
  };
}

/** USER_HZ is 100 on every architecture that Node.js runs on. */
const tick_ms = 10;

/** Switches, wakeups and migrations in the detail window, and migrations since the threads started. */
export function switchFields(detail: ThreadsUse | null) {
  const window_ms = detail?.window_ms ?? 0;
  const rate = (count: number | null | undefined): number | null =>
    perSecond(count ?? null, window_ms);
  const nr_switches = switchesOf(detail);
  return {
    nr_switches,
    switches_per_s: rate(nr_switches),
    voluntary_per_s: rate(detail?.used.voluntary),
    involuntary_per_s: rate(detail?.used.involuntary),
    nr_wakeups: detail?.used.wakeups ?? null,
    nr_migrations: detail?.used.migrations ?? null,
    nr_migrations_total: detail?.migrations_total ?? null,
    migrations_per_s: rate(detail?.used.migrations),
  };
}

export const switchesOf = (detail: ThreadsUse | null | undefined): number | null =>
  sumKnown([detail?.used.voluntary, detail?.used.involuntary]);

/** The wait of the scans where they took it, else that of the detail window. */
export function waitOf(
  use: ProcessUse,
  detail: ThreadsUse | null | undefined,
): (Waited & Readonly<{ window_ms: number }>) | null {
  if (use.waited !== null) return { ...use.waited, window_ms: use.window_ms };
  const { wait_ns = null, timeslices = null } = detail?.used ?? {};
  if (!detail || wait_ns === null || timeslices === null) return null;
  return { wait_ns, samples: timeslices, window_ms: detail.window_ms };
}

function waitFields({ use, detail }: MeasuredProcess) {
  const waited = waitOf(use, detail);
  if (waited === null) {
    return { run_queue_wait_ms: null, run_queue_wait_pct: null, latency: null };
  }
  const wait_ms = waited.wait_ns / 1e6;
  return {
    run_queue_wait_ms: round(wait_ms, 3),
    run_queue_wait_pct: percent(wait_ms, waited.window_ms),
    latency: latency({ wait_ns: waited.wait_ns, timeslices: waited.samples, wakeups: null }),
  };
}

export function placeOf(cpu: number | null, places: Places) {
  const place = cpu === null ? undefined : places.get(cpu);
  return { llc_id: place?.llc_id ?? null, node_id: place?.node_id ?? null };
}
