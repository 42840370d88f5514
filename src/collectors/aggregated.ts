import { formatCpuList } from '../../parsers/cpu-list/cpu-list.ts';
import type { Call, Context } from '../context.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { type CpuShares, cpuShares, meanShares } from './cpu-shares.ts';
import { type CpuWindow, measureCpuWindow } from './cpu-window.ts';
import { type CurrentFrequencies, readCurrentFrequencies } from './frequency.ts';
import { meanKnown, perSecond, sumKnown } from './rates.ts';
import {
  addCounts,
  type Latency,
  latency,
  type RunQueueWait,
  runQueueWait,
} from './run-queue-wait.ts';
import {
  besideCpuTrace,
  type CpuTrace,
  cpuTrace,
  type TracedUse,
  tracedUse,
} from './sched-trace-cpus.ts';
import { cpuTraceLines } from './sched-trace-words.ts';
import { readTopology, type Topology } from './topology.ts';
import { readOffRanges } from './wait-figures.ts';

/** One window over all CPUs, and where each CPU belongs. */
export type CpuMeasurement = Readonly<{
  window: CpuWindow;
  topology: Topology;
  frequencies: CurrentFrequencies;
  /** Null where nobody asked for it, the reason where it cannot be had. */
  trace: CpuTrace | Unavailable | null;
}>;

/** How long to look. `trace_ms`: bpftrace traces the scheduler for so long, and all else as long. */
export type Windows = Readonly<{
  window_ms?: number | undefined;
  trace_ms?: number | undefined;
}>;

/** What one or more CPUs did together during the window. */
export type CpuGroupUse = CpuShares &
  Readonly<{
    freq_hz: number | null;
    nr_switches: number | null;
    switches_per_s: number | null;
    nr_wakeups: number | null;
    nr_migrations: number | null;
    migrations_per_s: number | null;
    run_queue_wait: RunQueueWait | null;
    latency: Latency | null;
  }> &
  Partial<TracedUse>;

/** A group of more than one CPU: its list, and how far its CPUs are apart. */
export type CpuGroup = CpuGroupUse &
  Readonly<{
    cpus: string;
    nr_cpus: number;
    min_util_pct: number | null;
    max_util_pct: number | null;
  }>;

export async function measureCpus(
  ctx: Context,
  { window_ms, trace_ms }: Windows,
  call: Call,
): Promise<CpuMeasurement> {
  const measure = () => measureCpuWindow(ctx, window_ms ?? trace_ms, call);
  const { measured, trace } = await besideCpuTrace(ctx, trace_ms, measure, call);
  const topology = readTopology(ctx.files);
  const places = new Map(topology.cpus.map((cpu) => [cpu.id, cpu]));
  return {
    window: measured,
    topology,
    frequencies: readCurrentFrequencies(ctx.files, measured.online),
    trace: trace && 'figures' in trace ? cpuTrace(trace, places) : trace,
  };
}

/** The CPUs together: shares and frequency as the means of theirs, counts summed, waits merged. */
export function groupUse(measured: CpuMeasurement, cpus: readonly number[]): CpuGroupUse {
  const { window, frequencies } = measured;
  const ticks = cpus.map((cpu) => window.ticks.get(cpu)).filter((each) => each !== undefined);
  const switches = cpus.map((cpu) => window.switches?.of.get(cpu));
  const queue = addCounts(cpus.map((cpu) => window.queues?.get(cpu)));
  const mean_hz = meanKnown(cpus.map((cpu) => frequencies.freq_hz.get(cpu)));
  return {
    ...meanShares(ticks),
    freq_hz: mean_hz === null ? null : Math.round(mean_hz),
    nr_switches: sumKnown(switches.map((each) => each?.nr_switches)),
    switches_per_s: rounded(sumKnown(switches.map((each) => each?.switches_per_s))),
    nr_wakeups: queue.wakeups,
    nr_migrations: sumKnown(switches.map((each) => each?.nr_migrations)),
    migrations_per_s: rounded(sumKnown(switches.map((each) => each?.migrations_per_s))),
    run_queue_wait: runQueueWait(queue, window.window_ms),
    latency: latency(queue),
    ...tracedUse(measured.trace, cpus),
  };
}

export function cpuGroup(measured: CpuMeasurement, cpus: readonly number[]): CpuGroup {
  const utils = cpus.map((cpu) => utilOf(measured.window, cpu)).filter((util) => util !== null);
  return {
    cpus: formatCpuList(cpus),
    nr_cpus: cpus.length,
    min_util_pct: utils.length === 0 ? null : Math.min(...utils),
    max_util_pct: utils.length === 0 ? null : Math.max(...utils),
    ...groupUse(measured, cpus),
  };
}

/** Null for a CPU that came online during the window. */
function utilOf(window: CpuWindow, cpu: number): number | null {
  const ticks = window.ticks.get(cpu);
  return ticks ? cpuShares(ticks).util_pct : null;
}

/** How the numbers were measured, for a reading. */
export function provenance({
  window,
  frequencies,
  trace,
}: CpuMeasurement): Pick<
  Reading<object>,
  'source' | 'window_ms' | 'lost_events' | 'warnings' | 'unavailable'
> {
  const cpufreq = frequencies.freq_hz.size > 0 ? ['cpufreq/scaling_cur_freq'] : [];
  const untraced = trace && 'what' in trace ? [trace] : [];
  const traced = trace && 'of' in trace ? trace : null;
  const bpftrace = traced ? ['bpftrace'] : [];
  return {
    source: [...window.sources, ...bpftrace, ...cpufreq, '/sys/devices/system/cpu'].join(', '),
    window_ms: window.window_ms,
    ...(traced ? { lost_events: traced.lost_events } : {}),
    warnings: [...window.warnings, ...(traced?.warnings ?? [])],
    unavailable: [
      ...window.unavailable,
      ...frequencies.unavailable,
      ...untraced,
      ...(traced ? [readOffRanges] : []),
    ],
  };
}

/** The parameters that a further page is read with: the same time, traced again. */
export const again = ({ trace_ms }: Windows): string =>
  trace_ms === undefined ? '' : `&trace_ms=${trace_ms}`;

/** The time that perf and bpftrace watched, each of which has a window of its own. */
export const ownWindows = ({ window, trace }: CpuMeasurement) => ({
  switches_window_ms: window.switches?.window_ms ?? null,
  ...(trace === null ? {} : { trace_window_ms: 'of' in trace ? trace.window_ms : null }),
});

/** Switches and run-queue waits of all CPUs in words; nothing where neither is measured. */
export function schedulingSummary(measured: CpuMeasurement): string[] {
  const { window } = measured;
  const all = groupUse(measured, window.online);
  const lines: string[] = [];
  if (window.switches) {
    lines.push(
      `${all.switches_per_s} context switches/s and ${all.migrations_per_s} migrations/s ` +
        `(counted by perf over ${window.switches.window_ms} ms).`,
    );
  }
  if (all.latency?.avg_ns != null) {
    const avg_us = Math.round(all.latency.avg_ns / 1000);
    const per_s = perSecond(all.latency.total_ns / 1e6, window.window_ms);
    lines.push(`A task waits ${avg_us} us for a CPU on average; together ${per_s} ms per second.`);
  }
  if (measured.trace && 'of' in measured.trace) {
    lines.push(...cpuTraceLines(measured.trace, all, window.online.length));
  }
  return lines;
}

const rounded = (value: number | null): number | null =>
  value === null ? null : Math.round(value * 10) / 10;
