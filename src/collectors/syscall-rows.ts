import { untrusted } from '../../parsers/untrusted.ts';
import { latencySummary } from '../analysis/latency.ts';
import type { SyscallRate } from '../analysis/syscall-findings.ts';
import { perSecond, round } from './rates.ts';
import type { SyscallUse, SyscallUses, TaskUse } from './syscall-rungs.ts';

export type SyscallRow = Readonly<{
  name: string;
  count: number;
  rate_per_sec: number;
  latency?: Readonly<{
    total_us: number;
    avg_us: number | null;
    p50_us: number | null;
    p99_us: number | null;
    max_us: number | null;
  }> | null;
  /** Calls that failed; null where the tracer does not tell. */
  errors: number | null;
  top_errors?: readonly Readonly<{ errno: string; count: number }>[];
}>;

export type SyscallProcess = Readonly<{
  pid: number;
  comm: string;
  count: number;
  rate_per_sec: number;
  total_us: number | null;
  top_syscalls: readonly Readonly<{ name: string; count: number }>[];
}>;

/** Over all calls, also those that are not listed. */
export type SyscallSummary = Readonly<{
  total_syscalls: number;
  rate_per_sec: number | null;
  total_latency_us?: number | null;
  unique_syscalls: number;
  failed_syscalls: number | null;
  top_by_count: readonly string[];
  top_by_latency?: readonly string[];
}>;

type Wanted = Readonly<{ top_n: number; include_latency: boolean }>;

const max_processes = 20;
const max_errors = 3;
const top = 5;

/** Of tasks of one name: their counts and sums, which is all that is known by task. */
export function ofTasks(uses: SyscallUses, comm: string): SyscallUses {
  const tasks = (uses.tasks ?? []).filter((task) => task.comm === comm);
  const byName = new Map<string, TaskUse[]>();
  for (const task of tasks) {
    const known = byName.get(task.name) ?? [];
    byName.set(task.name, known);
    known.push(task);
  }
  const syscalls = [...byName].map(([name, each]): SyscallUse => {
    const calls = sum(each.map((task) => task.calls));
    const timed = each.some(({ total_ns }) => total_ns !== null);
    const total_ns = sum(each.map((task) => task.total_ns ?? 0));
    return {
      name,
      calls,
      took: timed ? { buckets: [], count: calls, total_ns, max_ns: null } : null,
      errors: null,
      failed: null,
    };
  });
  return { syscalls, tasks };
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

/** The listed rows and the sums over all. */
export function figuresOf({ syscalls, tasks }: SyscallUses, query: Wanted, window_ms: number) {
  const byCount = [...syscalls].sort((a, b) => b.calls - a.calls);
  const byTime = [...syscalls].sort((a, b) => timeOf(b) - timeOf(a));
  const total = sum(syscalls.map(({ calls }) => calls));
  const failed = syscalls.map((use) => use.failed);
  const names = (uses: readonly SyscallUse[]): string[] =>
    uses.slice(0, top).map(({ name }) => name);
  const timed = syscalls.some(({ took }) => took !== null);
  return {
    rows: byCount.slice(0, query.top_n).map((use) => rowOf(use, query.include_latency, window_ms)),
    processes: tasks && processRows(tasks, window_ms),
    summary: {
      total_syscalls: total,
      rate_per_sec: perSecond(total, window_ms),
      ...(query.include_latency
        ? { total_latency_us: timed ? round(sum(syscalls.map(timeOf)) / 1000) : null }
        : {}),
      unique_syscalls: syscalls.length,
      failed_syscalls: failed.includes(null) ? null : sum(failed.map((each) => each ?? 0)),
      top_by_count: names(byCount),
      ...(query.include_latency && timed ? { top_by_latency: names(byTime) } : {}),
    },
  };
}

const timeOf = ({ took }: SyscallUse): number => took?.total_ns ?? 0;

function rowOf(use: SyscallUse, latency: boolean, window_ms: number): SyscallRow {
  const { name, calls, errors, failed } = use;
  const worst = [...(errors ?? [])].sort((a, b) => b.count - a.count).slice(0, max_errors);
  return {
    name,
    count: calls,
    rate_per_sec: perSecond(calls, window_ms) ?? 0,
    ...(latency ? { latency: latencyOf(use) } : {}),
    errors: failed,
    ...(worst.length > 0 ? { top_errors: worst } : {}),
  };
}

function latencyOf({ took }: SyscallUse): NonNullable<SyscallRow['latency']> | null {
  if (took?.total_ns == null) return null;
  const { avg_latency_us, p50_us, p99_us, max_latency_us } = latencySummary(took, 'us');
  return {
    total_us: round(took.total_ns / 1000),
    avg_us: avg_latency_us,
    p50_us,
    p99_us,
    max_us: max_latency_us,
  };
}

export function rateOf(use: SyscallUse, window_ms: number): SyscallRate {
  const avg_us = latencyOf(use)?.avg_us ?? null;
  const rate_per_sec = perSecond(use.calls, window_ms) ?? 0;
  return { name: use.name, count: use.calls, rate_per_sec, avg_us };
}

function processRows(tasks: readonly TaskUse[], window_ms: number): readonly SyscallProcess[] {
  const byPid = new Map<number, TaskUse[]>();
  for (const task of tasks) {
    const known = byPid.get(task.pid) ?? [];
    byPid.set(task.pid, known);
    known.push(task);
  }
  const rows = [...byPid].map(([pid, each]): SyscallProcess => {
    const heaviest = [...each].sort((a, b) => b.calls - a.calls);
    const times = each.map(({ total_ns }) => total_ns).filter((value) => value !== null);
    const count = sum(each.map(({ calls }) => calls));
    return {
      pid,
      comm: untrusted(heaviest[0]?.comm ?? '', 64),
      count,
      rate_per_sec: perSecond(count, window_ms) ?? 0,
      total_us: times.length === 0 ? null : round(sum(times) / 1000),
      top_syscalls: heaviest.slice(0, 3).map(({ name, calls }) => ({ name, count: calls })),
    };
  });
  return rows.sort((a, b) => b.count - a.count).slice(0, max_processes);
}
