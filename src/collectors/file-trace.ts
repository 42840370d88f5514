import { type FileopenOutput, parseFileopen } from '../../parsers/fileopen/fileopen.ts';
import type { FileslowOutput } from '../../parsers/fileslow/fileslow.ts';
import { countBy } from '../analysis/ranking.ts';
import type { Call, Context } from '../context.ts';
import { boundedTrace, type Traced, traceParts } from './bounded-trace.ts';
import { bpftraceRung } from './bpftrace-rung.ts';
import { slowFilesRungs } from './slow-files.ts';
import { tracedProcess } from './traced-process.ts';
import { byFile, byProcess, operationRow, slowSummary } from './vfs-latency.ts';

type Query = Readonly<{
  duration_seconds: number;
  pid?: number | undefined;
  min_latency_ms: number;
  mode: 'slow_ops' | 'file_lifecycle' | 'opens' | 'all';
  include_all_files: boolean;
}>;

const most_operations = 100;
const most_groups = 20;
const short_lived_ns = 1e9;
const output_bytes = 8 * 1024 * 1024;
const tracepoints = ['syscalls:sys_enter_openat', 'syscalls:sys_enter_unlink'];

/**
 * What happens to files: slow reads and writes, files that live shortly, opens. All that was asked
 * for is watched in one window.
 *
 * @throws TracewrightError PID_NOT_FOUND, PROFILER_BUSY
 */
export async function collectFileTrace(ctx: Context, query: Query, call: Call) {
  const { mode, duration_seconds, min_latency_ms, include_all_files } = query;
  const pid = query.pid === undefined ? null : tracedProcess(ctx, query.pid).pid;
  const wants = (part: Query['mode']): boolean => mode === 'all' || mode === part;
  const wanted = { opens: wants('opens'), life: wants('file_lifecycle') };
  const [slow, files] = await Promise.all([
    wants('slow_ops') ? watchSlow(ctx, query, pid, call) : null,
    wanted.opens || wanted.life ? watchFiles(ctx, duration_seconds, pid, wanted, call) : null,
  ]);
  const value = files?.traced?.value ?? null;
  const slowValue = slow?.traced?.value ?? null;
  const parts = allParts(slow, files, wanted.opens ? 'opens' : 'file_lifecycle');
  return {
    data: {
      method: parts.method,
      duration_seconds,
      filters: { pid, min_latency_ms, include_all_files },
      ...(slow ? { slow_ops: slowPart(slow) } : {}),
      ...(wanted.life ? { file_lifecycle: value && lifePart(value) } : {}),
      ...(wanted.opens ? { opens: value && opensPart(value) } : {}),
      truncated: isCut(slowValue, value),
      notes: wanted.life ? ['A file is known by the path that it was called by.'] : [],
    },
    ...parts.measured,
    ...(isCut(slowValue, value)
      ? { truncated: true, next: 'perf_file_trace with a larger min_latency_ms, or pid' }
      : {}),
    summary: inWords(slowValue, value, { min_latency_ms, ...wanted }),
  };
}

function watchSlow(ctx: Context, query: Query, pid: number | null, call: Call) {
  const duration_ms = query.duration_seconds * 1000;
  const rungs = slowFilesRungs(ctx, {
    duration_ms,
    least_ms: query.min_latency_ms,
    pid,
    all_files: query.include_all_files,
  });
  return boundedTrace(ctx, { kind: 'file operations', duration_ms, rungs }, call);
}

type Wants = Readonly<{ opens: boolean; life: boolean }>;

function watchFiles(
  ctx: Context,
  duration_seconds: number,
  pid: number | null,
  { opens, life }: Wants,
  call: Call,
) {
  const duration_ms = duration_seconds * 1000;
  const rung = bpftraceRung(ctx, {
    script: 'fileopen',
    duration_ms,
    parameters: [pid ?? 0, opens ? 1 : 0, life ? 1 : 0],
    needs: { tracepoints, pid: pid !== null },
    output_bytes,
    string_bytes: 200,
    parse: parseFileopen,
  });
  return boundedTrace(ctx, { kind: 'file opens', duration_ms, rungs: [rung] }, call);
}

/** How both were measured, as one. */
function allParts(slow: Traced<unknown> | null, files: Traced<unknown> | null, what: string) {
  const parts = [
    ...(slow ? [traceParts(slow, 'slow_ops')] : []),
    ...(files ? [traceParts(files, what)] : []),
  ];
  const methods = [...new Set(parts.flatMap((part) => part.method ?? []))];
  const traced = parts.filter(({ method }) => method !== null);
  const windows = traced.flatMap(({ window_ms }) => window_ms ?? []);
  const lost = traced.flatMap(({ lost_events }) => lost_events ?? []);
  return {
    method: methods.join('+') || null,
    measured: {
      source: [...new Set(traced.map((part) => part.source))].join(', ') || 'nothing',
      ...(windows.length === 0 ? {} : { window_ms: Math.max(...windows) }),
      // Where one of them does not tell, nobody knows how many both lost.
      ...(lost.length === 0 || lost.length < traced.length
        ? {}
        : { lost_events: lost.reduce((sum, each) => sum + each, 0) }),
      warnings: parts.flatMap((part) => part.warnings),
      unavailable: parts.flatMap((part) => part.unavailable),
    },
  };
}

function slowPart({ traced }: Traced<FileslowOutput>) {
  if (traced === null) return null;
  const slow = traced.value.slow.toSorted((a, b) => b.took_ns - a.took_ns);
  const { total_slow_ops: total_ops, ...summary } = slowSummary(slow);
  return {
    operations: slow
      .slice(0, most_operations)
      .map(operationRow)
      .map(({ process: comm, operation: direction, ...row }) => ({ ...row, comm, direction })),
    summary: { total_ops, ...summary, by_file: byFile(slow), by_process: byProcess(slow) },
  };
}

function lifePart({ lives, counts }: FileopenOutput) {
  const ages = lives.map(({ age_ns }) => age_ns);
  return {
    files: lives.slice(0, most_operations).map(({ at_ns, pid, comm, age_ns, path }) => ({
      timestamp: seconds(at_ns),
      pid,
      comm,
      age_seconds: seconds(age_ns),
      filename: path,
    })),
    summary: {
      total_files: lives.length,
      created: counts.created,
      removed: counts.removed,
      avg_age_seconds:
        ages.length === 0 ? null : seconds(ages.reduce((sum, each) => sum + each, 0) / ages.length),
      short_lived_count: ages.filter((age_ns) => age_ns < short_lived_ns).length,
      by_process: countBy(lives, ({ comm }) => comm, most_groups),
    },
  };
}

function opensPart({ opens, counts }: FileopenOutput) {
  return {
    operations: opens.slice(0, most_operations).map(({ at_ns, pid, comm, fd, error, path }) => ({
      timestamp: seconds(at_ns),
      pid,
      comm,
      fd,
      error,
      path,
      failed: error !== 0,
    })),
    summary: {
      total_opens: counts.opens,
      failed_opens: counts.failed,
      by_process: countBy(opens, ({ comm }) => comm, most_groups),
      by_path: countBy(opens, ({ path }) => path, most_groups),
    },
  };
}

function isCut(slow: FileslowOutput | null, files: FileopenOutput | null): boolean {
  return [slow?.slow.length ?? 0, files?.lives.length ?? 0, files?.opens.length ?? 0].some(
    (length) => length > most_operations,
  );
}

type Wanted = Wants & Readonly<{ min_latency_ms: number }>;

function inWords(
  slow: FileslowOutput | null,
  files: FileopenOutput | null,
  { min_latency_ms, opens, life }: Wanted,
): string[] {
  const [worst] = slow?.slow.toSorted((a, b) => b.took_ns - a.took_ns) ?? [];
  const [path] = files ? Object.entries(countBy(files.opens, (each) => each.path, 1)) : [];
  const short = files?.lives.filter(({ age_ns }) => age_ns < short_lived_ns).length;
  return [
    ...(slow
      ? [`${slow.slow.length} of ${slow.all.count} operations took ${min_latency_ms} ms or more.`]
      : []),
    ...(worst
      ? [
          `Slowest: ${worst.operation} of ${worst.filename} by ${worst.comm} (${worst.pid}), ${seconds(worst.took_ns) * 1000} ms.`,
        ]
      : []),
    ...(files && life
      ? [
          `${files.counts.created} files were created; ${files.lives.length} of those that we saw born were removed, ${short} within a second.`,
        ]
      : []),
    ...(files && opens
      ? [`${files.counts.opens} opens, ${files.counts.failed} of them failed.`]
      : []),
    ...(path ? [`Most often: ${path[0]} (${path[1]} times).`] : []),
    ...(slow === null && files === null ? ['Files could not be traced: see unavailable.'] : []),
  ];
}

const seconds = (ns: number): number => Math.round(ns / 1e3) / 1e6;
