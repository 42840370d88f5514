import type { RunqlatGroup } from '../../parsers/runqlat/runqlat.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import {
  type HistogramRow,
  histogramRows,
  type LatencySummary,
  type LatencyUnit,
  latencySummary,
} from '../analysis/latency.ts';
import type { Call, Context } from '../context.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { boundedTrace, type SkippedMethod, traceParts } from './bounded-trace.ts';
import { type RunqQuery, type RunqWaits, runqRungs } from './runq-rungs.ts';
import { tracedProcess } from './traced-process.ts';

type Query = Readonly<{
  duration_seconds: number;
  pid?: number | undefined;
  per_process: boolean;
  per_pidns: boolean;
  milliseconds: boolean;
}>;

type Summary = Readonly<{ total_wakeups: number }> & LatencySummary;
type Status = 'healthy' | 'warning' | 'critical';

export type RunqLatency = Readonly<{
  method: string | null;
  skipped_methods: readonly SkippedMethod[];
  duration_seconds: number;
  pid?: number;
  /** Null where nothing could trace: the kernel's own sums know no spread. */
  histogram: readonly HistogramRow[] | null;
  /** `total_wakeups` counts waits: after a wakeup and after a preemption. */
  summary: Summary | null;
  interpretation: Readonly<{ status: Status; detail: string }> | null;
  by_process?: readonly GroupRow[];
  by_pidns?: readonly GroupRow[];
  notes: readonly string[];
}>;

type GroupRow = Readonly<{ pid?: number; pidns?: number; comm: string | null }> &
  Readonly<{ total_wakeups: number; total_wait_ms: number | null }> &
  Pick<LatencySummary, 'avg_latency_us' | 'p50_us' | 'p99_us' | 'max_latency_us'>;

const max_groups = 25;
const warning_us = 1000;
const critical_us = 10_000;
const outlier_us = 50_000;

/**
 * How long tasks that could run waited for a CPU within the window.
 *
 * @throws TracewrightError PID_NOT_FOUND, PROFILER_BUSY
 */
export async function collectRunqLatency(
  ctx: Context,
  query: Query,
  call: Call,
): Promise<Reading<RunqLatency>> {
  const process = query.pid === undefined ? null : tracedProcess(ctx, query.pid);
  const unit = query.milliseconds ? 'ms' : 'us';
  const duration_ms = query.duration_seconds * 1000;
  const group = query.per_process ? 'process' : query.per_pidns ? 'pid_namespace' : 'none';
  const rungs = runqRungs(ctx, { duration_ms, pid: process?.pid ?? null, group, unit });
  const result = await boundedTrace(ctx, { kind: 'run queue', duration_ms, rungs }, call);
  const { method, unavailable, ...parts } = traceParts(result, 'waits for a CPU');
  const waits = result.traced?.value ?? null;
  const rows = groupRows(waits?.groups ?? [], unit, group);
  const shown = rows.slice(0, max_groups);
  const data: RunqLatency = {
    method,
    skipped_methods: result.skipped,
    duration_seconds: query.duration_seconds,
    ...(process === null ? {} : { pid: process.pid }),
    ...figures(waits, unit),
    ...(group === 'process' ? { by_process: shown } : {}),
    ...(group === 'pid_namespace' ? { by_pidns: shown } : {}),
  };
  const both = query.per_process && query.per_pidns;
  return {
    data,
    ...parts,
    summary: inWords(data, process?.comm ?? null, parts.window_ms),
    ...(rows.length > max_groups
      ? { truncated: true, total: rows.length, next: 'perf_runq_latency with pid' }
      : {}),
    warnings: [...parts.warnings, ...(both ? ['by_pidns is left out: one split at a time.'] : [])],
    unavailable: [...unavailable, ...gaps(data)],
  };
}

type Figures = Pick<RunqLatency, 'histogram' | 'summary' | 'interpretation' | 'notes'>;

function figures(waits: RunqWaits | null, unit: LatencyUnit): Figures {
  if (waits === null) return { histogram: null, summary: null, interpretation: null, notes: [] };
  const { all, sums_only } = waits;
  const known = !sums_only && (all.buckets.length > 0 || all.count === 0);
  const summary = { total_wakeups: all.count, ...latencySummary(all, unit) };
  return {
    histogram: known ? histogramRows(all, unit) : null,
    summary,
    interpretation: known ? interpretation(summary) : null,
    notes: notesOf(summary),
  };
}

function groupRows(
  groups: readonly RunqlatGroup[],
  unit: LatencyUnit,
  by: RunqQuery['group'],
): readonly GroupRow[] {
  const waited = groups.filter(({ waits }) => waits.count > 0);
  const heaviest = waited.sort(
    (a, b) => (b.waits.total_ns ?? b.waits.count) - (a.waits.total_ns ?? a.waits.count),
  );
  return heaviest.map(({ id, comm, waits }) => {
    const { avg_latency_us, p50_us, p99_us, max_latency_us } = latencySummary(waits, unit);
    const total_wait_ms = waits.total_ns === null ? null : Math.round(waits.total_ns / 1e4) / 100;
    return {
      ...(by === 'process' ? { pid: id } : { pidns: id }),
      comm: comm === null ? null : untrusted(comm, 64),
      total_wakeups: waits.count,
      total_wait_ms,
      avg_latency_us,
      p50_us,
      p99_us,
      max_latency_us,
    };
  });
}

function interpretation({
  p99_us,
  ranges_us,
  total_wakeups,
}: Summary): RunqLatency['interpretation'] {
  if (total_wakeups === 0) return { status: 'healthy', detail: 'No task waited for a CPU.' };
  if (p99_us === null) return null;
  // The estimate decides, its range is what is certain.
  const told = `99 of 100 waits for a CPU were below ${milliseconds(ranges_us?.p99[1] ?? p99_us)} ms`;
  if (p99_us > critical_us) {
    return { status: 'critical', detail: `${told}: the CPUs are overloaded.` };
  }
  if (p99_us > warning_us) {
    return { status: 'warning', detail: `${told}: tasks compete for CPUs at times.` };
  }
  return { status: 'healthy', detail: `${told}.` };
}

function notesOf({ max_latency_us }: Summary): readonly string[] {
  if (max_latency_us === null || max_latency_us <= outlier_us) return [];
  return [`The longest wait was ${milliseconds(max_latency_us)} ms.`];
}

function gaps({ summary, histogram, skipped_methods }: RunqLatency): readonly Unavailable[] {
  if (summary === null) return [];
  if (histogram === null) {
    return [
      {
        what: 'histogram, percentiles, max_latency_us, interpretation',
        reason: 'The kernel keeps the sum of all waits only; a tracer tells how they spread.',
        fix: skipped_methods.find((each) => each.fix !== null)?.fix ?? null,
      },
    ];
  }
  if (summary.total_wakeups === 0 || summary.avg_latency_us !== null) return [];
  return [
    {
      what: 'avg_latency_us, max_latency_us',
      reason: 'This tracer prints a histogram only.',
      fix: skipped_methods.find((each) => each.fix !== null)?.fix ?? null,
    },
  ];
}

function inWords(data: RunqLatency, comm: string | null, window_ms = 0): string[] {
  const { summary, method, interpretation: verdict } = data;
  if (summary === null) return ['Waits for a CPU could not be measured: see unavailable.'];
  const whose = comm === null ? 'all tasks' : `process ${data.pid} (${comm})`;
  const { total_wakeups, avg_latency_us, p50_us, p99_us, max_latency_us } = summary;
  const known = Object.entries({ avg_latency_us, p50_us, p99_us, max_latency_us })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.replace(/_latency_us|_us/, '')} ${value} us`);
  const worst = data.by_process?.[0];
  return [
    `${total_wakeups} waits for a CPU of ${whose} in ${window_ms} ms (${method}): ${known.join(', ')}.`,
    ...(verdict ? [verdict.detail] : []),
    ...(worst ? [`Most of it: ${named(worst)}.`] : []),
  ];
}

/** Without sums the counts rank. */
function named({ comm, pid, total_wait_ms, total_wakeups }: GroupRow): string {
  const who = `${comm ?? 'process'} (${pid})`;
  return total_wait_ms === null ? `${who}, ${total_wakeups} waits` : `${who}, ${total_wait_ms} ms`;
}

const milliseconds = (us: number): number => Math.round(us / 10) / 100;
