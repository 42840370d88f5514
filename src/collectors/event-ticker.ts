import { u64Growth } from '../../parsers/big-json.ts';
import { parseMemInfo } from '../../parsers/meminfo/meminfo.ts';
import { type ProcStat, parseProcStat } from '../../parsers/proc-stat/proc-stat.ts';
import { parseScxEvents, type ScxEvents } from '../../parsers/scx-events/scx-events.ts';
import type { EventType, StreamEvent } from '../../parsers/stream/stream.ts';
import type { Call, Context } from '../context.ts';
import { addTicks, cpuShares, ticksByCpu } from './cpu-shares.ts';
import { growth, perSecond } from './rates.ts';
import { type SchedExtState, sched_ext_root, schedExtState } from './sched-ext.ts';
import { changeSince, isSameLoad } from './scheduler-change.ts';

type Sample = Readonly<{
  at_ms: number;
  stat: ProcStat | null;
  sched: SchedExtState;
  counters: ScxEvents | null;
}>;

/** An event that this server makes: of no single CPU. */
export const ownEvent = (ctx: Context, type: EventType, fields: object = {}): StreamEvent => ({
  type,
  ts: ctx.monotonicNs(),
  cpu: null,
  ...fields,
});

/**
 * At each call: system_stat and sched_stats over the time since the last one, and whether a
 * sched_ext scheduler was loaded or ended in it. From a few small files.
 */
export function eventTicker(ctx: Context): (call: Call) => Promise<readonly StreamEvent[]> {
  let last = sample(ctx);
  return async (call) => {
    const before = last;
    last = sample(ctx);
    const window_ms = Math.round(last.at_ms - before.at_ms);
    return [
      ...systemStat(ctx, before, last, window_ms),
      ...schedStats(ctx, before, last, window_ms),
      ...(await schedulerChange(ctx, before, last, call)),
    ];
  };
}

function sample(ctx: Context): Sample {
  const { files } = ctx;
  const stat = files.text('/proc/stat');
  const sched = schedExtState(ctx);
  const counters = sched.active ? files.text(`${sched_ext_root}/root/events`) : null;
  return {
    at_ms: ctx.monotonicMs(),
    stat: stat === null ? null : parseProcStat(stat).data,
    sched,
    counters: counters === null ? null : parseScxEvents(counters).data,
  };
}

function systemStat(ctx: Context, before: Sample, after: Sample, window_ms: number) {
  if (before.stat === null || after.stat === null) return [];
  const [from, to] = [before.stat, after.stat];
  const { util_pct, iowait_pct, steal_pct } = cpuShares(
    addTicks([...ticksByCpu(from, to).values()]),
  );
  const memory = ctx.files.text('/proc/meminfo');
  const rate = (name: 'context_switches' | 'interrupts' | 'forks'): number | null =>
    perSecond(growth(from[name], to[name]), window_ms);
  return [
    ownEvent(ctx, 'system_stat', {
      util_pct,
      iowait_pct,
      steal_pct,
      procs_running: to.procs_running,
      procs_blocked: to.procs_blocked,
      switches_per_s: rate('context_switches'),
      interrupts_per_s: rate('interrupts'),
      forks_per_s: rate('forks'),
      mem_available_bytes:
        memory === null ? null : (parseMemInfo(memory).data.bytes['MemAvailable'] ?? null),
      window_ms,
    }),
  ];
}

/** What the sched_ext scheduler's counters of the kernel grew by; those that stood still are left out. */
function schedStats(ctx: Context, before: Sample, after: Sample, window_ms: number) {
  const [from, to] = [before.counters, after.counters];
  if (!from || !to || !isSameLoad(before.sched, after.sched)) return [];
  const grown = Object.entries(to).flatMap(([name, value]) => {
    const start = from[name];
    const delta = start === undefined ? null : u64Growth(start, value);
    return delta === null || delta === 0 ? [] : [[name, delta] as const];
  });
  const { ops, nr_rejected } = after.sched;
  return [
    ownEvent(ctx, 'sched_stats', {
      scheduler: ops?.name ?? null,
      nr_rejected,
      deltas: Object.fromEntries(grown),
      window_ms,
    }),
  ];
}

async function schedulerChange(ctx: Context, before: Sample, after: Sample, call: Call) {
  if (isSameLoad(before.sched, after.sched)) return [];
  const change = await changeSince(ctx, before.sched, call);
  if (change === null) return [];
  const { was, now, reason } = change;
  const { enable_seq, switch_all } = after.sched;
  return [
    ...(was === null ? [] : [ownEvent(ctx, 'scheduler_unload', { scheduler: was, reason })]),
    ...(now === null
      ? []
      : [ownEvent(ctx, 'scheduler_load', { scheduler: now, enable_seq, switch_all })]),
  ];
}
