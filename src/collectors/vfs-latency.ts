import type {
  FileOperation,
  FileslowOutput,
  SlowOperation,
} from '../../parsers/fileslow/fileslow.ts';
import { histogramRows, type LatencySummary, latencySummary } from '../analysis/latency.ts';
import { exactPercentile, groupBy } from '../analysis/ranking.ts';
import type { Call, Context } from '../context.ts';
import { boundedTrace, traceParts } from './bounded-trace.ts';
import { slowFilesRungs } from './slow-files.ts';
import { tracedProcess } from './traced-process.ts';

type Query = Readonly<{
  duration_seconds: number;
  min_latency_ms: number;
  pid?: number | undefined;
  include_all_files: boolean;
}>;

const most_operations = 40;
const most_groups = 20;

/**
 * How long reads, writes and syncs of files took, and the slow ones one by one.
 *
 * @throws TracewrightError PID_NOT_FOUND, PROFILER_BUSY
 */
export async function collectVfsLatency(ctx: Context, query: Query, call: Call) {
  const process = query.pid === undefined ? null : tracedProcess(ctx, query.pid);
  const duration_ms = query.duration_seconds * 1000;
  const least_ms = query.min_latency_ms;
  const rungs = slowFilesRungs(ctx, {
    duration_ms,
    least_ms,
    pid: process?.pid ?? null,
    all_files: query.include_all_files,
  });
  const result = await boundedTrace(ctx, { kind: 'file operations', duration_ms, rungs }, call);
  const { method, ...parts } = traceParts(result, 'times of file operations');
  const output = result.traced?.value ?? null;
  const slow = output?.slow.toSorted((a, b) => b.took_ns - a.took_ns) ?? [];
  return {
    data: {
      method,
      skipped_methods: result.skipped,
      duration_seconds: query.duration_seconds,
      min_latency_ms: least_ms,
      ...(process === null ? {} : { pid: process.pid }),
      operations: output === null ? null : slow.slice(0, most_operations).map(operationRow),
      summary: output === null ? null : slowSummary(slow),
      /** Of all operations, slow or not. */
      distribution: output === null ? null : distribution(output),
      by_file: output === null ? null : byFile(slow),
      by_process: output === null ? null : byProcess(slow),
      notes: [],
    },
    ...parts,
    ...(slow.length > most_operations
      ? {
          truncated: true,
          total: slow.length,
          next: 'perf_vfs_latency with a larger min_latency_ms',
        }
      : {}),
    summary: vfsWords(output, slow, least_ms, parts.window_ms ?? 0),
  };
}

export function operationRow({
  at_ns,
  pid,
  comm,
  operation,
  bytes,
  took_ns,
  filename,
}: SlowOperation) {
  return {
    timestamp: Math.round(at_ns / 1e3) / 1e6,
    process: comm,
    pid,
    operation: letters[operation],
    bytes,
    latency_ms: ms(took_ns),
    filename,
  };
}

const letters: Readonly<Record<FileOperation, string>> = { read: 'R', write: 'W', sync: 'S' };

/** Exact figures of the operations above the threshold. */
export function slowSummary(slow: readonly SlowOperation[]) {
  const times = slow.map(({ took_ns }) => took_ns);
  const total = times.reduce((sum, each) => sum + each, 0);
  const count = (operation: FileOperation): number =>
    slow.filter((each) => each.operation === operation).length;
  const at = (share: number): number | null => {
    const value = exactPercentile(times, share);
    return value === null ? null : ms(value);
  };
  return {
    total_slow_ops: slow.length,
    read_ops: count('read'),
    write_ops: count('write'),
    sync_ops: count('sync'),
    avg_latency_ms: times.length === 0 ? null : ms(total / times.length),
    p50_latency_ms: at(0.5),
    p95_latency_ms: at(0.95),
    p99_latency_ms: at(0.99),
    max_latency_ms: at(1),
    total_bytes: slow.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
  };
}

function distribution({ all, operations }: FileslowOutput) {
  const of = (operation: FileOperation): LatencySummary & { count: number } => ({
    count: operations[operation].count,
    ...latencySummary(operations[operation], 'us'),
  });
  return {
    count: all.count,
    ...latencySummary(all, 'us'),
    histogram: histogramRows(all, 'us'),
    read: of('read'),
    write: of('write'),
    sync: of('sync'),
  };
}

export function byFile(slow: readonly SlowOperation[]) {
  return groupBy(slow, ({ filename }) => filename)
    .slice(0, most_groups)
    .map(({ key, rows }) => ({
      filename: key,
      count: rows.length,
      avg_latency_ms: mean(rows),
      total_bytes: rows.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    }));
}

export function byProcess(slow: readonly SlowOperation[]) {
  return groupBy(slow, ({ pid }) => String(pid))
    .slice(0, most_groups)
    .map(({ rows }) => ({
      process: rows[0]?.comm ?? '',
      pid: rows[0]?.pid ?? 0,
      count: rows.length,
      avg_latency_ms: mean(rows),
    }));
}

export function vfsWords(
  output: FileslowOutput | null,
  slow: readonly SlowOperation[],
  least_ms: number,
  window_ms: number,
): string[] {
  if (output === null) return ['File operations could not be traced: see unavailable.'];
  const { p99_us, max_latency_us } = latencySummary(output.all, 'us');
  const [worst] = slow;
  const took =
    p99_us === null || max_latency_us === null
      ? ''
      : `: p99 ${p99_us} us, max ${max_latency_us} us`;
  return [
    `${output.all.count} reads, writes and syncs of files in ${window_ms} ms${took}.`,
    `${slow.length} of them took ${least_ms} ms or more.`,
    ...(worst
      ? [
          `Slowest: ${worst.operation} of ${worst.filename} by ${worst.comm} (${worst.pid}), ${ms(worst.took_ns)} ms.`,
        ]
      : []),
  ];
}

const mean = (rows: readonly SlowOperation[]): number =>
  ms(rows.reduce((sum, { took_ns }) => sum + took_ns, 0) / rows.length);

const ms = (ns: number): number => Math.round(ns / 1e3) / 1e3;
