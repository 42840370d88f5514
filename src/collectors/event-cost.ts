import { parsePidStat } from '../../parsers/pid-stat/pid-stat.ts';
import type { Context } from '../context.ts';
import { growth, percent, perSecond, round } from './rates.ts';

/** How fast records come, and the CPU time that this takes from the host, over a window. */
export type EventCost = Readonly<{
  records_per_s: number | null;
  /** Of one CPU. */
  tracer_cpu_pct: number | null;
  server_cpu_pct: number | null;
  /** Since tracking began. */
  tracer_cpu_s: number | null;
  server_cpu_s: number | null;
  window_ms: number;
}>;

type Ticks = Readonly<{
  at_ms: number;
  records: number;
  pid: number | null;
  tracer: number | null;
  server: number | null;
}>;

/** USER_HZ: 100 per second on every architecture that Node.js runs on. */
const ms_per_tick = 10;

export type CostMeter = Readonly<{
  /** To be called regularly: the window is that between the last two calls. */
  step(): void;
  cost(): EventCost;
}>;

export function costMeter(
  ctx: Context,
  records: () => number,
  tracerPid: () => number | null,
): CostMeter {
  const begin = take(ctx, records(), tracerPid());
  let before = begin;
  let last = begin;
  /** Of programs that were replaced by a restart. */
  let tracer_before = 0;
  return {
    step() {
      before = last;
      last = take(ctx, records(), tracerPid());
      if (last.pid !== before.pid) tracer_before += before.tracer ?? 0;
    },
    cost() {
      const window_ms = Math.round(last.at_ms - before.at_ms);
      const same = last.pid === before.pid;
      const tracer = same ? growth(before.tracer, last.tracer) : null;
      return {
        records_per_s: perSecond(last.records - before.records, window_ms),
        tracer_cpu_pct: share(tracer, window_ms),
        server_cpu_pct: share(growth(before.server, last.server), window_ms),
        tracer_cpu_s: last.tracer === null ? null : seconds(tracer_before + last.tracer),
        server_cpu_s: seconds(growth(begin.server, last.server)),
        window_ms,
      };
    },
  };
}

function take(ctx: Context, records: number, pid: number | null): Ticks {
  const at_ms = ctx.monotonicMs();
  const tracer = pid === null ? null : cpuTicks(ctx, String(pid));
  return { at_ms, records, pid, tracer, server: cpuTicks(ctx, 'self') };
}

function cpuTicks({ files }: Context, process: string): number | null {
  const text = files.text(`/proc/${process}/stat`);
  if (text === null) return null;
  const { utime_ticks, stime_ticks } = parsePidStat(text);
  return utime_ticks + stime_ticks;
}

const share = (ticks: number | null, window_ms: number): number | null =>
  percent(ticks === null ? null : ticks * ms_per_tick, window_ms);

const seconds = (ticks: number | null): number | null =>
  ticks === null ? null : round((ticks * ms_per_tick) / 1000, 2);
