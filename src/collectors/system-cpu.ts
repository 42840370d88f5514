import { type LoadAverage, parseLoadAverage } from '../../parsers/loadavg/loadavg.ts';
import type { ProcStat } from '../../parsers/proc-stat/proc-stat.ts';
import type { Call, Context } from '../context.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { windowMeter } from './counter-window.ts';
import { readProcStat } from './cpu-counters.ts';
import {
  activeTicks,
  addTicks,
  type CpuShares,
  cpuShares,
  ticksByCpu,
  totalTicks,
  unknownShares,
} from './cpu-shares.ts';
import { type HostPressure, noPressure, readHostPressure } from './host-pressure.ts';
import {
  type InterruptCounters,
  type InterruptRate,
  readInterrupts,
  type SoftIrqRate,
  topInterrupts,
  topSoftIrqs,
} from './interrupt-rates.ts';
import { growth, perSecond } from './rates.ts';
import { requiredText } from './required-file.ts';

export type SystemCpu = CpuShares &
  Readonly<{
    cpus_online: number;
    /** Ticks (USER_HZ, 1/100 s) of all CPUs in the window: active (without idle, iowait) and all. */
    active_util: number;
    total_util: number;
    context_switches_per_s: number | null;
    forks_per_s: number | null;
    interrupts_per_s: number | null;
    softirqs_per_s: number | null;
    /** At the end of the window. */
    procs_running: number | null;
    procs_blocked: number | null;
    load: LoadAverage;
    pressure: HostPressure | null;
    top_interrupts: readonly InterruptRate[] | null;
    top_softirqs: readonly SoftIrqRate[] | null;
  }>;

const sources_shown = 5;

const meter = windowMeter(({ files }) => ({
  ...readProcStat(files),
  interrupts: readInterrupts(files),
}));

/** What all CPUs together did during the window, with load and pressure at its end. */
export async function collectSystemCpu(
  ctx: Context,
  { window_ms: wanted_ms }: Readonly<{ window_ms?: number | undefined }>,
  call: Call,
): Promise<Reading<SystemCpu>> {
  const { before, after, window_ms } = await meter.measure(ctx, wanted_ms, call);
  const ticks = addTicks([...ticksByCpu(before.stat, after.stat).values()]);
  const shares = cpuShares(ticks);
  const data: SystemCpu = {
    cpus_online: after.stat.cpus.length,
    ...shares,
    active_util: activeTicks(ticks),
    total_util: totalTicks(ticks),
    ...eventRates(before.stat, after.stat, window_ms),
    procs_running: after.stat.procs_running,
    procs_blocked: after.stat.procs_blocked,
    load: parseLoadAverage(requiredText(ctx.files, '/proc/loadavg')),
    pressure: readHostPressure(ctx.files),
    ...topSources(before.interrupts, after.interrupts, window_ms),
  };
  return {
    data,
    source: '/proc/stat, /proc/loadavg, /proc/pressure, /proc/interrupts, /proc/softirqs',
    window_ms,
    warnings: after.warnings,
    unavailable: [...unknownShares(shares), ...missing(data)],
    summary: inWords(data),
  };
}

function eventRates(before: ProcStat, after: ProcStat, window_ms: number) {
  const rate = (name: 'context_switches' | 'forks' | 'interrupts' | 'softirqs'): number | null =>
    perSecond(growth(before[name], after[name]), window_ms);
  return {
    context_switches_per_s: rate('context_switches'),
    forks_per_s: rate('forks'),
    interrupts_per_s: rate('interrupts'),
    softirqs_per_s: rate('softirqs'),
  };
}

function topSources(before: InterruptCounters, after: InterruptCounters, window_ms: number) {
  const { hard, soft } = before;
  return {
    top_interrupts:
      hard && after.hard ? topInterrupts(hard, after.hard, window_ms, sources_shown) : null,
    top_softirqs:
      soft && after.soft ? topSoftIrqs(soft, after.soft, window_ms, sources_shown) : null,
  };
}

function missing(data: SystemCpu): Unavailable[] {
  const hidden = (what: string, path: string): Unavailable => ({
    what,
    reason: `${path} cannot be read.`,
    fix: null,
  });
  return [
    ...(data.pressure === null ? [noPressure] : []),
    ...(data.top_interrupts === null ? [hidden('top_interrupts', '/proc/interrupts')] : []),
    ...(data.top_softirqs === null ? [hidden('top_softirqs', '/proc/softirqs')] : []),
  ];
}

function inWords(data: SystemCpu): string[] {
  const { load, pressure } = data;
  const some = pressure?.cpu?.some;
  return [
    `${data.cpus_online} CPUs ${data.util_pct} % busy: user ${data.user_pct}, nice ` +
      `${data.nice_pct}, system ${data.system_pct}, softirq ` +
      `${data.softirq_pct}, steal ${data.steal_pct} %; iowait ${data.iowait_pct} %.`,
    `Load ${load.one}, ${load.five}, ${load.fifteen} (1, 5, 15 min); ${load.runnable} tasks ` +
      `runnable, ${data.procs_blocked} blocked on I/O.`,
    `${data.context_switches_per_s} context switches/s, ${data.interrupts_per_s} interrupts/s, ` +
      `${data.forks_per_s} forks/s.`,
    ...(some ? [`CPU pressure: some task waited ${some.avg10_pct} % of the last 10 s.`] : []),
  ];
}
