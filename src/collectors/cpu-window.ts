import type { ProcStat } from '../../parsers/proc-stat/proc-stat.ts';
import type { SchedStat } from '../../parsers/schedstat/schedstat.ts';
import type { Call, Context } from '../context.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Unavailable } from '../reading.ts';
import { type CounterWindow, default_window_ms, windowMeter } from './counter-window.ts';
import { readProcStat, readSchedStat, type StatCounters } from './cpu-counters.ts';
import { type CpuTicks, ticksByCpu } from './cpu-shares.ts';
import { countSwitches, type SwitchCount, switchesUnavailable } from './cpu-switches.ts';
import { type QueueCounts, queueCounts } from './run-queue-wait.ts';

/** What the CPUs did during a window, by CPU. */
export type CpuWindow = Readonly<{
  window_ms: number;
  /** Online at the end of the window, ascending. */
  online: readonly number[];
  /** No entry for a CPU that came online during the window. */
  ticks: ReadonlyMap<number, CpuTicks>;
  /** Null where the kernel has no /proc/schedstat. */
  queues: ReadonlyMap<number, QueueCounts> | null;
  /** Null where perf may not count. Its window is its own. */
  switches: SwitchCount | null;
  sources: readonly string[];
  warnings: readonly string[];
  unavailable: readonly Unavailable[];
}>;

type Counters = StatCounters & Readonly<{ sched: SchedStat | Unavailable }>;

/** Time that perf needs to start: utilisation is measured after it, else perf itself is in it. */
const perf_start_ms = 100;
/** How long perf counts where utilisation needs no waiting. */
const switches_alone_ms = 200;

const meter = windowMeter(
  ({ files }): Counters => ({ ...readProcStat(files), sched: readSchedStat(files) }),
);

/**
 * Measures CPU time, run-queue waits and switches of each CPU. `window_ms` undefined: since the last
 * read where the server keeps a baseline, else 500 ms. FEATURE_UNAVAILABLE without /proc/stat.
 */
export async function measureCpuWindow(
  ctx: Context,
  window_ms: number | undefined,
  call: Call,
): Promise<CpuWindow> {
  const { window, switches } = await measureTogether(ctx, window_ms, call);
  const { before, after } = window;
  const queues = queuesBetween(ctx.files, before.sched, after.sched);
  const counted = 'of' in switches;
  return {
    window_ms: window.window_ms,
    online: after.stat.cpus.map(({ cpu }) => cpu),
    ticks: ticksByCpu(before.stat, after.stat),
    queues: queues.counts,
    switches: counted ? switches : null,
    sources: [
      '/proc/stat',
      ...(queues.counts ? ['/proc/schedstat'] : []),
      ...(counted ? ['perf stat'] : []),
    ],
    warnings: [
      ...after.warnings,
      ...wentOffline(before.stat, after.stat),
      ...(counted ? switches.warnings : []),
    ],
    unavailable: [
      ...cameOnline(before.stat, after.stat),
      ...queues.unavailable,
      ...(counted ? [] : [switches]),
    ],
  };
}

type Together = Readonly<{
  window: CounterWindow<Counters>;
  switches: SwitchCount | Unavailable;
}>;

/** With a baseline perf counts afterwards, for a short time; else during the same window. */
async function measureTogether(
  ctx: Context,
  window_ms: number | undefined,
  call: Call,
): Promise<Together> {
  const none = switchesUnavailable(ctx);
  if (none) return { window: await meter.measure(ctx, window_ms, call), switches: none };
  if (meter.hasBaseline(ctx, window_ms)) {
    const window = await meter.measure(ctx, window_ms, call);
    return { window, switches: await countSwitches(ctx, switches_alone_ms, call) };
  }
  const counting_ms = (window_ms ?? default_window_ms) + perf_start_ms;
  const [switches, window] = await Promise.all([
    countSwitches(ctx, counting_ms, call),
    ctx
      .sleep(perf_start_ms, call.signal)
      .then(async () => await meter.measure(ctx, window_ms, call)),
  ]);
  return { window, switches };
}

/** CPUs that the first of two samples has and the second has not. */
function lostCpus(from: ProcStat, to: ProcStat): number[] {
  const kept = new Set(to.cpus.map(({ cpu }) => cpu));
  return from.cpus.map(({ cpu }) => cpu).filter((cpu) => !kept.has(cpu));
}

const wentOffline = (before: ProcStat, after: ProcStat): string[] =>
  lostCpus(before, after).map((cpu) => `CPU ${cpu} went offline during the window.`);

function cameOnline(before: ProcStat, after: ProcStat): Unavailable[] {
  const reason = 'It came online during the window: read again.';
  return lostCpus(after, before).map((cpu) => ({ what: `CPU ${cpu}`, reason, fix: null }));
}

type Queues = Readonly<{
  counts: ReadonlyMap<number, QueueCounts> | null;
  unavailable: readonly Unavailable[];
}>;

function queuesBetween(
  files: HostFiles,
  before: SchedStat | Unavailable,
  after: SchedStat | Unavailable,
): Queues {
  const noWakeups = wakeupsUnavailable(files, after);
  const wakeups = noWakeups ? [noWakeups] : [];
  if ('what' in after) return { counts: null, unavailable: [after, ...wakeups] };
  if ('what' in before) return { counts: null, unavailable: [before, ...wakeups] };
  return {
    counts: queueCounts(before, after, noWakeups === null),
    unavailable: [noExtremes, ...wakeups],
  };
}

const noExtremes: Unavailable = {
  what: 'latency.min_ns, latency.max_ns',
  reason: 'The kernel keeps the sum of the waits of a CPU, not the shortest and the longest.',
  fix: 'sudo tracewright read "stats://aggregated/cpu?trace_ms=1000"',
};

function wakeupsUnavailable(files: HostFiles, sched: SchedStat | Unavailable): Unavailable | null {
  const what = 'nr_wakeups';
  if ('what' in sched) {
    return {
      what,
      reason: 'This kernel does not count wakeups of a CPU: a tracepoint has to.',
      fix: null,
    };
  }
  if (files.number('/proc/sys/kernel/sched_schedstats') === 1) return null;
  const reason = 'The kernel counts wakeups only while kernel.sched_schedstats is 1.';
  return { what, reason, fix: 'sudo sysctl kernel.sched_schedstats=1' };
}
