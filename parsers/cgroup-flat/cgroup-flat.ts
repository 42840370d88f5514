import { completeLines } from '../lines.ts';

const keyed = /^([\w.]+) (\d{1,20})$/;

/**
 * Flat keyed files of cgroups: `cpu.stat`, `memory.stat`, `memory.events`, `pids.events` of v2
 * (Documentation/admin-guide/cgroup-v2.rst) and `cpu.stat`, `cpuacct.stat`, `memory.stat`,
 * `memory.oom_control` of v1. Units are the file's own: v2 counts microseconds and bytes, cpu.stat
 * of v1 nanoseconds, cpuacct.stat ticks.
 *
 *     nr_throttled 12
 *     core_sched.force_idle_usec 0
 *
 * Names come and go between kernels: look up by name. Lines of another form are skipped.
 */
export function parseCgroupFlat(text: string): Readonly<Record<string, number>> {
  const counters: [string, number][] = [];
  for (const line of completeLines(text)) {
    const [, name, value] = keyed.exec(line) ?? [];
    if (name !== undefined) counters.push([name, Number(value)]);
  }
  return Object.fromEntries(counters);
}
