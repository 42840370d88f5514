import type { Profile } from '../analysis/profile.ts';
import { share } from './profile-rows.ts';

export type ProcessRow = Readonly<{
  /** Null where perf did not tell. */
  pid: number | null;
  comm: string;
  count: number;
  percentage: number;
  /** Threads of it that were sampled. */
  threads: number;
}>;

export type CpuRow = Readonly<{ cpu: number; count: number; percentage: number }>;

export type ProfileShares = Readonly<{
  /**
   * Where the processor was: in the kernel, the idle task included, or in programs. Null where the
   * kernel was left out, and without samples.
   */
  kernel_pct: number | null;
  user_pct: number | null;
  idle_pct: number | null;
  by_process: readonly ProcessRow[];
  by_cpu: readonly CpuRow[];
}>;

const max_processes = 10;
const max_cpus = 16;

/** How the samples of a profile spread, heaviest first. */
export function profileShares(profile: Profile, user_only: boolean): ProfileShares {
  const { total, kernel, without_stack, by_cpu } = profile;
  const processes = processRows(profile);
  const idle = processes.filter(({ pid }) => pid === 0);
  const idle_count = idle.reduce((sum, { count }) => sum + count, 0);
  const known = total > 0 && !user_only;
  return {
    kernel_pct: known ? share(kernel, total) : null,
    user_pct: known ? share(total - kernel - without_stack, total) : null,
    idle_pct: known ? share(idle_count, total) : null,
    by_process: processes.slice(0, max_processes),
    by_cpu: [...by_cpu]
      .map(([cpu, count]) => ({ cpu, count, percentage: share(count, total) }))
      .sort((a, b) => b.count - a.count || a.cpu - b.cpu)
      .slice(0, max_cpus),
  };
}

function processRows({ shares, processes, total }: Profile): ProcessRow[] {
  const counts = new Float64Array(processes.length);
  for (const [index, process] of shares.processes.entries()) {
    counts[process] = (counts[process] ?? 0) + (shares.weights[index] ?? 0);
  }
  return processes
    .map(({ pid, comm, threads }, process) => {
      const count = counts[process] ?? 0;
      return { pid, comm, count, percentage: share(count, total), threads };
    })
    .sort((a, b) => b.count - a.count);
}
