import { type Pressure, parsePressure } from '../../parsers/pressure/pressure.ts';
import { type ProcStat, parseProcStat } from '../../parsers/proc-stat/proc-stat.ts';
import { orNull } from '../collectors/cpu-files.ts';
import { cpuShares, ticksByCpu } from '../collectors/cpu-shares.ts';
import { readCurrentFrequencies } from '../collectors/frequency.ts';
import type { Context } from '../context.ts';
import type { PerfettoTrace } from './perfetto/perfetto-trace.ts';

/** Files that the kernel counts in anyway, looked at beside the events. */
export type HostSamples = Readonly<{
  /** Writes what passed since the last step. */
  step(now_ns: number): void;
}>;

type Sample = Readonly<{
  at_ns: number;
  stat: ProcStat | null;
  stalled_us: ReadonlyMap<string, number>;
}>;

const pressures = ['cpu', 'memory', 'io'] as const;

export function hostSamples(ctx: Context, trace: PerfettoTrace, now_ns: number): HostSamples {
  const hasFrequencies = ctx.files.exists('/sys/devices/system/cpu/cpufreq/policy0');
  let last = sample(ctx, now_ns);

  function utilisation(before: Sample, after: Sample): void {
    if (before.stat === null || after.stat === null) return;
    for (const [cpu, ticks] of ticksByCpu(before.stat, after.stat)) {
      const { util_pct } = cpuShares(ticks);
      if (util_pct === null) continue;
      const of_cpu = { group: 'CPU utilisation', name: `CPU ${cpu}`, unit: '%', value: util_pct };
      trace.count(before.at_ns, [of_cpu]);
    }
  }

  function tasks({ stat, at_ns }: Sample): void {
    const counts = [
      ['runnable', stat?.procs_running],
      ['blocked on I/O', stat?.procs_blocked],
    ] as const;
    for (const [name, value] of counts) {
      if (typeof value !== 'number') continue;
      trace.count(at_ns, [{ group: 'Tasks', name, unit: 'tasks', value }]);
    }
  }

  function stalls(before: Sample, after: Sample): void {
    const passed_us = (after.at_ns - before.at_ns) / 1000;
    for (const [name, total] of after.stalled_us) {
      const from = before.stalled_us.get(name);
      if (from === undefined || total < from || passed_us <= 0) continue;
      const value = Math.min(100, ((total - from) / passed_us) * 100);
      trace.count(before.at_ns, [{ group: 'Pressure', name, unit: '%', value }]);
    }
  }

  function frequencies({ at_ns, stat }: Sample): void {
    if (!hasFrequencies) return;
    const cpus = stat?.cpus.map(({ cpu }) => cpu) ?? [];
    for (const [cpu, hz] of readCurrentFrequencies(ctx.files, cpus).freq_hz) {
      trace.frequency(at_ns, cpu, Math.round(hz / 1000));
    }
  }

  return {
    step(at_ns) {
      const before = last;
      last = sample(ctx, at_ns);
      // A counter of Perfetto holds from its time on: that of the beginning of what it sums up.
      utilisation(before, last);
      stalls(before, last);
      tasks(last);
      frequencies(last);
    },
  };
}

function sample({ files }: Context, at_ns: number): Sample {
  const stat = files.text('/proc/stat');
  const stalled_us = new Map<string, number>();
  for (const kind of pressures) {
    const text = files.text(`/proc/pressure/${kind}`);
    const pressure = text === null ? null : orNull(() => parsePressure(text).data);
    addStall(stalled_us, kind, 'some', pressure);
    // Of the CPUs of the whole host the kernel writes zero there: some task always runs.
    if (kind !== 'cpu') addStall(stalled_us, kind, 'full', pressure);
  }
  return {
    at_ns,
    stat: stat === null ? null : orNull(() => parseProcStat(stat).data),
    stalled_us,
  };
}

function addStall(
  to: Map<string, number>,
  kind: string,
  share: 'some' | 'full',
  pressure: Pressure | null,
): void {
  const stall = pressure?.[share];
  if (stall) to.set(`${kind}, ${share}`, stall.total_us);
}
