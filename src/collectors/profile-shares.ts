import type { Profile } from '../analysis/profile.ts';
import { share } from './profile-rows.ts';

export type ProcessRow = Readonly<{
  /** Null where perf did not tell. */
  pid: number | null;
  /** Of the thread name with most samples. */
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
  /** Samples without any frame, which are neither. */
  without_stack_pct: number | null;
  by_process: readonly ProcessRow[];
  by_cpu: readonly CpuRow[];
}>;

const max_processes = 10;
const max_cpus = 16;

/** How the samples of a profile spread, heaviest first. */
export function profileShares(
  profile: Profile,
  user_only: boolean,
  idleIsSampled: boolean,
): ProfileShares {
  const { total, kernel, without_stack, by_cpu } = profile;
  const processes = processRows(profile);
  const idle = processes.filter(({ pid }) => pid === 0);
  const idle_count = idle.reduce((sum, { count }) => sum + count, 0);
  const known = total > 0 && !user_only;
  return {
    kernel_pct: known ? share(kernel, total) : null,
    user_pct: known ? share(total - kernel - without_stack, total) : null,
    idle_pct: known && idleIsSampled ? share(idle_count, total) : null,
    without_stack_pct: known ? share(without_stack, total) : null,
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
  const rows = processes
    .map(({ pid, comm, threads }, process) => ({ pid, comm, threads, count: counts[process] ?? 0 }))
    .sort((a, b) => b.count - a.count);
  // Threads of one process may have names of their own.
  const byPid = new Map<number | null, (typeof rows)[number]>();
  for (const row of rows) {
    const first = byPid.get(row.pid);
    byPid.set(
      row.pid,
      first
        ? { ...first, count: first.count + row.count, threads: first.threads + row.threads }
        : row,
    );
  }
  return [...byPid.values()]
    .map((row) => ({ ...row, percentage: share(row.count, total) }))
    .sort((a, b) => b.count - a.count);
}
