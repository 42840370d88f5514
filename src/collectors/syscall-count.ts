import { untrusted } from '../../parsers/untrusted.ts';
import type { Evidence, Finding } from '../analysis/finding.ts';
import { syscallFindings } from '../analysis/syscall-findings.ts';
import type { Call, Context } from '../context.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { boundedTrace, type SkippedMethod, traceParts } from './bounded-trace.ts';
import {
  figuresOf,
  ofTasks,
  rateOf,
  type SyscallProcess,
  type SyscallRow,
  type SyscallSummary,
} from './syscall-rows.ts';
import { type SyscallUses, syscallRungs } from './syscall-rungs.ts';
import { tracedProcess } from './traced-process.ts';
import { readOffRanges } from './wait-figures.ts';

type Query = Readonly<{
  duration_seconds: number;
  pid?: number | undefined;
  comm?: string | undefined;
  top_n: number;
  include_latency: boolean;
  per_process: boolean;
  include_errors: boolean;
}>;

export type SyscallCount = Readonly<{
  method: string | null;
  skipped_methods: readonly SkippedMethod[];
  duration_seconds: number;
  target: string;
  syscalls: readonly SyscallRow[] | null;
  by_process?: readonly SyscallProcess[] | null;
  summary: SyscallSummary | null;
  findings: readonly Finding[];
  evidence: readonly Evidence[];
  notes: readonly string[];
}>;

/**
 * The system calls of the window. With `comm`, of tasks of that name; with `include_errors`, failed
 * ones alone.
 *
 * @throws TracewrightError PID_NOT_FOUND, PROFILER_BUSY
 */
export async function collectSyscallCount(
  ctx: Context,
  query: Query,
  call: Call,
): Promise<Reading<SyscallCount>> {
  const process = query.pid === undefined ? null : tracedProcess(ctx, query.pid);
  const duration_ms = query.duration_seconds * 1000;
  const rungs = syscallRungs(ctx, {
    duration_ms,
    pid: process?.pid ?? null,
    latency: query.include_latency,
    tasks: query.per_process || query.comm !== undefined,
    failed_only: query.include_errors,
  });
  const result = await boundedTrace(ctx, { kind: 'system call', duration_ms, rungs }, call);
  const { method, unavailable, ...parts } = traceParts(result, 'system calls');
  const window_ms = parts.window_ms ?? duration_ms;
  const uses = usesOf(result.traced?.value ?? null, query.comm);
  const data: SyscallCount = {
    method,
    skipped_methods: result.skipped,
    duration_seconds: query.duration_seconds,
    target: targetOf(process?.pid ?? null, query.comm),
    ...figuresFor(uses, query, window_ms),
    evidence: [],
    notes: query.include_errors ? ['Failed calls alone.'] : [],
  };
  const total = uses?.syscalls.length ?? 0;
  return {
    data: { ...data, evidence: evidence(ctx, data) },
    ...parts,
    summary: inWords(data, window_ms),
    ...(total > query.top_n
      ? { truncated: true, total, next: 'perf_syscall_count with a larger top_n' }
      : {}),
    unavailable: [...unavailable, ...gaps(uses, query)],
  };
}

const usesOf = (all: SyscallUses | null, comm: string | undefined): SyscallUses | null =>
  all && comm !== undefined ? ofTasks(all, comm) : all;

type Figures = Pick<SyscallCount, 'syscalls' | 'by_process' | 'summary' | 'findings'>;

function figuresFor(uses: SyscallUses | null, query: Query, window_ms: number): Figures {
  const figures = uses && figuresOf(uses, query, window_ms);
  return {
    syscalls: figures?.rows ?? null,
    ...(query.per_process ? { by_process: figures?.processes ?? null } : {}),
    summary: figures?.summary ?? null,
    findings: uses && !query.include_errors ? findingsOf(uses, window_ms) : [],
  };
}

const targetOf = (pid: number | null, comm: string | undefined): string =>
  [
    pid === null ? 'system-wide' : `pid:${pid}`,
    ...(comm === undefined ? [] : [`comm:${untrusted(comm, 16)}`]),
  ].join(' ');

function findingsOf({ syscalls }: SyscallUses, window_ms: number): readonly Finding[] {
  const rates = syscalls.map((use) => rateOf(use, window_ms));
  return syscallFindings(
    rates,
    rates.reduce((sum, { rate_per_sec }) => sum + rate_per_sec, 0),
  );
}

function evidence(ctx: Context, { summary, method, target }: SyscallCount): readonly Evidence[] {
  if (summary === null) return [];
  return [
    {
      source: 'perf_syscall_count',
      type: 'metric',
      timestamp: ctx.now().toISOString(),
      data: { ...summary, method, target },
    },
  ];
}

function gaps(uses: SyscallUses | null, query: Query): readonly Unavailable[] {
  const syscalls = uses?.syscalls ?? [];
  if (syscalls.length === 0) return [];
  const found: Unavailable[] = [];
  if (syscalls.every(({ failed }) => failed === null)) {
    const reason =
      query.comm === undefined
        ? 'This tracer does not tell which calls failed.'
        : 'By task name only counts and sums are kept.';
    found.push({ what: 'errors', reason, fix: null });
  }
  if (query.include_latency && syscalls.every(({ took }) => !took?.buckets.length)) {
    const reason = 'This way of counting keeps sums, and not how the times spread.';
    found.push({ what: 'p50_us, p99_us, max_us', reason, fix: null });
  }
  if (query.include_latency && syscalls.some(({ took }) => took?.buckets.length)) {
    found.push(readOffRanges);
  }
  return found;
}

function inWords({ summary, syscalls, method, target, findings }: SyscallCount, window_ms: number) {
  if (summary === null || syscalls === null) {
    return ['System calls could not be counted: see unavailable.'];
  }
  const { total_syscalls, unique_syscalls, failed_syscalls, top_by_latency = [] } = summary;
  const failed = failed_syscalls === null ? '' : `, ${failed_syscalls} failed`;
  const first = syscalls.slice(0, 4).map(({ name, count }) => `${name} ${count}`);
  return [
    `${total_syscalls} system calls of ${unique_syscalls} kinds${failed} in ${window_ms} ms (${target}, ${method}).`,
    ...(first.length > 0 ? [`Most frequent: ${first.join(', ')}.`] : []),
    ...(top_by_latency.length > 0 ? [`Most time in: ${top_by_latency.join(', ')}.`] : []),
    ...findings.slice(0, 2).map(({ description }) => description),
  ];
}
