import { completeLines } from '../lines.ts';
import { type Parsed, ParseError, type ParseWarning, warn } from '../parsed.ts';

const columns = [
  'user',
  'nice',
  'system',
  'idle',
  'iowait',
  'irq',
  'softirq',
  'steal',
  'guest',
  'guest_nice',
] as const;

/** Ticks (USER_HZ, 100 per second) since boot. Null: this kernel does not have the column. */
export type CpuTimes = Readonly<Record<(typeof columns)[number], number | null>>;

export type ProcStat = Readonly<{
  total: CpuTimes;
  /** Online CPUs only: the kernel leaves out the others. */
  cpus: readonly Readonly<{ cpu: number; times: CpuTimes }>[];
  /** Counts since boot. */
  interrupts: number | null;
  softirqs: number | null;
  context_switches: number | null;
  forks: number | null;
  /** Seconds since 1970. */
  boot_time_s: number | null;
  procs_running: number | null;
  procs_blocked: number | null;
}>;

const counterLine =
  /^(intr|softirq|ctxt|processes|btime|procs_running|procs_blocked) (\d{1,20})(?: |$)/;
const cpuLine = /^cpu(\d{0,9}) +(\d{1,20}(?: \d{1,20}){3,}) ?$/;

/**
 * `/proc/stat` (fs/proc/stat.c, man 5 proc):
 *
 *     cpu0 1921 0 1164 144276 24 0 25 3 0 0
 *     intr 322877 0 0 0 …
 *
 * Columns appeared over time: iowait, irq, softirq in 2.6, steal in 2.6.11, guest in 2.6.24,
 * guest_nice in 2.6.33. `user` contains `guest`, `nice` contains `guest_nice`. `idle` and `iowait`
 * can go backwards between two reads. Unknown lines are skipped. Without the `cpu` line the text is
 * not this file: ParseError.
 */
export function parseProcStat(text: string): Parsed<ProcStat> {
  const warnings: ParseWarning[] = [];
  const counters = new Map<string, number>();
  const cpus: { cpu: number; times: CpuTimes }[] = [];
  let total: CpuTimes | undefined;
  for (const [index, line] of completeLines(text).entries()) {
    const counter = counterLine.exec(line);
    if (counter?.[1] !== undefined) {
      counters.set(counter[1], Number(counter[2]));
      continue;
    }
    if (!line.startsWith('cpu')) continue;
    const [, cpu, values] = cpuLine.exec(line) ?? [];
    if (cpu === undefined || values === undefined) {
      warnings.push(warn(index + 1, 'not a line of CPU times', line));
    } else if (cpu === '') {
      total = cpuTimes(values);
    } else {
      cpus.push({ cpu: Number(cpu), times: cpuTimes(values) });
    }
  }
  if (!total) throw new ParseError('no line "cpu": this is not /proc/stat');
  const count = (name: string): number | null => counters.get(name) ?? null;
  const data = {
    total,
    cpus,
    interrupts: count('intr'),
    softirqs: count('softirq'),
    context_switches: count('ctxt'),
    forks: count('processes'),
    boot_time_s: count('btime'),
    procs_running: count('procs_running'),
    procs_blocked: count('procs_blocked'),
  };
  return { data, warnings };
}

function cpuTimes(values: string): CpuTimes {
  const ticks = values.split(' ');
  const column = (index: number): number | null => {
    const value = ticks[index];
    return value === undefined || value === '' ? null : Number(value);
  };
  return {
    user: column(0),
    nice: column(1),
    system: column(2),
    idle: column(3),
    iowait: column(4),
    irq: column(5),
    softirq: column(6),
    steal: column(7),
    guest: column(8),
    guest_nice: column(9),
  };
}
