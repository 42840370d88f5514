import { completeLines } from '../lines.ts';
import { type Parsed, ParseError, type ParseWarning, warn } from '../parsed.ts';

/** Counters of one CPU since boot. */
export type CpuSchedStat = Readonly<{
  cpu: number;
  /** These five stand still unless kernel.sched_schedstats is 1. */
  yields: number;
  schedules: number;
  schedules_to_idle: number;
  /** Wakeups that code on this CPU made, and those among them of tasks that stay on this CPU. */
  wakeups: number;
  wakeups_local: number;
  /** Time that tasks ran here, and time that they waited here for the CPU, summed over tasks. */
  run_ns: number;
  wait_ns: number;
  /** Times a task got the CPU. */
  timeslices: number;
}>;

export type SchedStat = Readonly<{ version: number; cpus: readonly CpuSchedStat[] }>;

const cpuLine = /^cpu(\d{1,20}) (\d{1,20}(?: \d{1,20}){8,})$/;

/**
 * `/proc/schedstat` (kernel/sched/stats.c, Documentation/scheduler/sched-stats.rst), versions 15
 * to 17. Its `cpu` lines are the same in all three; the `domain` lines, which differ, are skipped.
 *
 *     cpu0 0 0 612934 203187 301442 288119 91237465019 7318842205 402117
 *     domain0 MC 3 0 0 …
 *
 * Fields: sched_yield() calls; a constant 0; schedule() calls; those that went idle; wakeups; local
 * wakeups; run time; wait time; timeslices. The documentation long said jiffies for both times; it
 * has been nanoseconds since 2.6.23. Times above 2^53 ns lose their last bits, so that a difference
 * is off by a few ns. Run time, wait time and timeslices count whenever CONFIG_SCHEDSTATS is on.
 *
 * ParseError for versions before 15, whose fields have other places. A newer version is a warning.
 */
export function parseSchedStat(text: string): Parsed<SchedStat> {
  const lines = completeLines(text);
  const version = Number(/^version (\d{1,9})$/.exec(lines[0] ?? '')?.[1]);
  if (!(version >= 15)) throw new ParseError('not /proc/schedstat of version 15 or later', 1);
  const warnings: ParseWarning[] = [];
  if (version > 17) warnings.push(warn(1, 'a version newer than the known 17', lines[0] ?? ''));
  const cpus: CpuSchedStat[] = [];
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith('cpu')) continue;
    const [, cpu, values] = cpuLine.exec(line) ?? [];
    if (values === undefined) warnings.push(warn(index + 1, 'not the counters of a CPU', line));
    else cpus.push(cpuSchedStat(Number(cpu), values));
  }
  return { data: { version, cpus }, warnings };
}

function cpuSchedStat(cpu: number, values: string): CpuSchedStat {
  const [
    yields = 0,
    ,
    schedules = 0,
    schedules_to_idle = 0,
    wakeups = 0,
    wakeups_local = 0,
    run_ns = 0,
    wait_ns = 0,
    timeslices = 0,
  ] = values.split(' ').map(Number);
  return {
    cpu,
    yields,
    schedules,
    schedules_to_idle,
    wakeups,
    wakeups_local,
    run_ns,
    wait_ns,
    timeslices,
  };
}
