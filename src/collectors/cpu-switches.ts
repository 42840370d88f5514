import { perfStat } from '../../allowlist/perf-stat.ts';
import { programs } from '../../allowlist/programs.ts';
import { type PerfCounter, parsePerfStat } from '../../parsers/perf-stat/perf-stat.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import { runsPrivileged } from './privileges.ts';
import { perSecond } from './rates.ts';

/** What happened on one CPU. Null where perf did not count there. */
export type CpuSwitches = Readonly<{
  nr_switches: number | null;
  switches_per_s: number | null;
  /** Tasks that came from another CPU: the kernel counts on the CPU where the task runs next. */
  nr_migrations: number | null;
  migrations_per_s: number | null;
}>;

export type SwitchCount = Readonly<{
  window_ms: number;
  of: ReadonlyMap<number, CpuSwitches>;
  warnings: readonly string[];
}>;

const what = 'nr_switches, nr_migrations';
const paranoid_path = '/proc/sys/kernel/perf_event_paranoid';

/** Why this process may not count on every CPU, or null where it may. */
export function switchesUnavailable(ctx: Context): Unavailable | null {
  if (ctx.settings.readOnly) {
    const fix = 'Start the server without --read-only.';
    return { what, reason: 'Counting per CPU opens perf counters; this server is read-only.', fix };
  }
  const found = ctx.find(programs.perf);
  if ('problem' in found && found.problem === 'missing') {
    return { what, reason: 'perf is not installed.', fix: ctx.install(programs.perf) };
  }
  const paranoid = ctx.files.number(paranoid_path);
  if (paranoid === null) {
    return { what, reason: 'This kernel has no perf events, or hides them here.', fix: null };
  }
  if (runsPrivileged(ctx) || paranoid <= 0) return null;
  return {
    what,
    reason: `kernel.perf_event_paranoid is ${paranoid}: only root may count on every CPU.`,
    fix: 'sudo sysctl kernel.perf_event_paranoid=0',
  };
}

/** Context switches and migrations of each online CPU, counted by the kernel and read by perf stat. */
export async function countSwitches(
  ctx: Context,
  window_ms: number,
  call: Call,
): Promise<SwitchCount | Unavailable> {
  try {
    const finished = await ctx.run(perfStat.perCpu(window_ms), { signal: call.signal });
    const { data, warnings } = parsePerfStat(finished.stdout);
    const counted = data.some(({ value }) => value !== null);
    if (!counted) {
      const said = untrusted(finished.stderr) || data[0]?.problem || `exit ${finished.exit_code}`;
      return { what, reason: `perf stat counted nothing: ${said}`, fix: null };
    }
    return {
      window_ms: Math.round(Math.max(...data.map(({ runtime_ns }) => runtime_ns ?? 0)) / 1e6),
      of: switchesByCpu(data),
      warnings: warnings.map(({ line, reason }) => `perf stat, line ${line}: ${reason}`),
    };
  } catch (thrown) {
    const error = toTracewrightError(thrown);
    if (error.code === 'CANCELED') throw error;
    return { what, reason: error.message, fix: error.suggestion };
  }
}

function switchesByCpu(counters: readonly PerfCounter[]): Map<number, CpuSwitches> {
  const switches = new Map<number, CpuSwitches>();
  const migrations = byCpu(counters, 'cpu-migrations');
  for (const [cpu, counter] of byCpu(counters, 'context-switches')) {
    const migration = migrations.get(cpu);
    switches.set(cpu, {
      nr_switches: counter.value,
      switches_per_s: rate(counter),
      nr_migrations: migration?.value ?? null,
      migrations_per_s: rate(migration),
    });
  }
  return switches;
}

function byCpu(counters: readonly PerfCounter[], event: string): Map<number, PerfCounter> {
  const found = new Map<number, PerfCounter>();
  for (const counter of counters) {
    if (counter.event === event && counter.cpu !== null) found.set(counter.cpu, counter);
  }
  return found;
}

/** By the time that this very counter was on, which differs a little from CPU to CPU. */
const rate = (counter: PerfCounter | undefined): number | null =>
  counter ? perSecond(counter.value, (counter.runtime_ns ?? 0) / 1e6) : null;
