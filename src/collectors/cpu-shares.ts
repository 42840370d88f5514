import type { CpuTimes, ProcStat } from '../../parsers/proc-stat/proc-stat.ts';
import type { Unavailable } from '../reading.ts';
import { percent, sumKnown } from './rates.ts';

/** Ticks that one or more CPUs spent in each state during a window. Null: no such column. */
export type CpuTicks = CpuTimes;

/**
 * Shares of the time of a CPU in percent, one decimal. All from user_pct to idle_pct add up to 100:
 * user_pct and nice_pct are without the time that guests ran, which the kernel counts twice. Null
 * where the kernel has no such column or where no time passed.
 */
export type CpuShares = Readonly<{
  /** All but idle and iowait; steal is in it. */
  util_pct: number | null;
  user_pct: number | null;
  nice_pct: number | null;
  system_pct: number | null;
  iowait_pct: number | null;
  irq_pct: number | null;
  softirq_pct: number | null;
  steal_pct: number | null;
  guest_pct: number | null;
  idle_pct: number | null;
}>;

/** By CPU. One that came online in between has no entry. */
export function ticksByCpu(before: ProcStat, after: ProcStat): ReadonlyMap<number, CpuTicks> {
  const earlier = new Map(before.cpus.map(({ cpu, times }) => [cpu, times]));
  const ticks = new Map<number, CpuTicks>();
  for (const { cpu, times } of after.cpus) {
    const from = earlier.get(cpu);
    if (from) ticks.set(cpu, ticksBetween(from, times));
  }
  return ticks;
}

/** What was added in between. A column that went backwards, as idle and iowait can, counts as 0. */
function ticksBetween(before: CpuTimes, after: CpuTimes): CpuTicks {
  const grown = (name: keyof CpuTimes): number | null => {
    const [from, to] = [before[name], after[name]];
    return from === null || to === null ? null : Math.max(0, to - from);
  };
  return byColumn(grown);
}

/** Ticks of several CPUs together. */
export function addTicks(each: readonly CpuTicks[]): CpuTicks {
  return byColumn((name) => sumKnown(each.map((ticks) => ticks[name])));
}

/**
 * Shares of several CPUs together, each CPU counting alike: they are the means of theirs. Where ticks
 * get lost, as on an emulated CPU, those with the most of them would otherwise count most.
 */
export function meanShares(each: readonly CpuTicks[]): CpuShares {
  const counted = each.filter((ticks) => totalTicks(ticks) > 0);
  return cpuShares(
    addTicks(
      counted.map((ticks) => {
        const total = totalTicks(ticks);
        return byColumn((name) => {
          const part = ticks[name];
          return part === null ? null : part / total;
        });
      }),
    ),
  );
}

const byColumn = (of: (name: keyof CpuTimes) => number | null): CpuTicks => ({
  user: of('user'),
  nice: of('nice'),
  system: of('system'),
  idle: of('idle'),
  iowait: of('iowait'),
  irq: of('irq'),
  softirq: of('softirq'),
  steal: of('steal'),
  guest: of('guest'),
  guest_nice: of('guest_nice'),
});

/** All ticks of the window; guests are in user and nice already. */
export function totalTicks(ticks: CpuTicks): number {
  return activeTicks(ticks) + (ticks.idle ?? 0) + (ticks.iowait ?? 0);
}

/** Ticks in which the CPU did something, or was taken away by the hypervisor (steal). */
export function activeTicks({ user, nice, system, irq, softirq, steal }: CpuTicks): number {
  return sumKnown([user, nice, system, irq, softirq, steal]) ?? 0;
}

export function cpuShares(ticks: CpuTicks): CpuShares {
  const total = totalTicks(ticks);
  const share = (part: number | null): number | null => percent(part, total);
  return {
    util_pct: share(activeTicks(ticks)),
    user_pct: share(withoutGuest(ticks.user, ticks.guest)),
    nice_pct: share(withoutGuest(ticks.nice, ticks.guest_nice)),
    system_pct: share(ticks.system),
    iowait_pct: share(ticks.iowait),
    irq_pct: share(ticks.irq),
    softirq_pct: share(ticks.softirq),
    steal_pct: share(ticks.steal),
    guest_pct: share(sumKnown([ticks.guest, ticks.guest_nice])),
    idle_pct: share(ticks.idle),
  };
}

const withoutGuest = (ticks: number | null, guest: number | null): number | null =>
  ticks === null ? null : Math.max(0, ticks - (guest ?? 0));

/** Why some shares are null. */
export function unknownShares(shares: CpuShares): Unavailable[] {
  const unknown = Object.entries(shares).filter(([, share]) => share === null);
  if (unknown.length === 0) return [];
  const what = unknown.map(([name]) => name).join(', ');
  const reason =
    shares.util_pct === null
      ? 'No tick passed on these CPUs during the window.'
      : 'The /proc/stat of this kernel has no such column.';
  return [{ what, reason, fix: null }];
}
