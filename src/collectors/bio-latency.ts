import { parseDiskStats } from '../../parsers/diskstats/diskstats.ts';
import type { Distribution } from '../../parsers/distribution.ts';
import {
  type HistogramRow,
  histogramRows,
  type LatencySummary,
  type LatencyUnit,
  latencySummary,
} from '../analysis/latency.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { type BioTimes, type BlockDevice, bioRungs } from './bio-rungs.ts';
import { boundedTrace, type SkippedMethod, traceParts } from './bounded-trace.ts';

type Query = Readonly<{
  duration_seconds: number;
  device?: string | undefined;
  per_device: boolean;
  queued: boolean;
  milliseconds: boolean;
  histogram_type: 'log2' | 'linear';
  linear_bucket_ms: number;
}>;

type Times = Readonly<{ total_ios: number }> & LatencySummary;

export type BioLatency = Readonly<{
  method: string | null;
  skipped_methods: readonly SkippedMethod[];
  histogram_type: 'log2' | 'linear';
  bucket_size_ms?: number;
  duration_seconds: number;
  device?: string;
  histogram: readonly HistogramRow[] | null;
  summary: Times | null;
  bytes_per_sec: number | null;
  per_operation: Readonly<Record<string, OperationTimes>> | null;
  per_device?: Readonly<Record<string, DeviceTimes>>;
  notes: readonly string[];
}>;

type OperationTimes = Readonly<{
  ios: number;
  avg_latency_us: number | null;
  max_latency_us: number | null;
}>;
type DeviceTimes = Readonly<{ total_ios: number }> &
  Pick<LatencySummary, 'avg_latency_us' | 'p50_us' | 'p99_us' | 'max_latency_us'>;

const slow_p99_us = 10_000;
const slow_avg_us = 5000;
const slow_max_us = 100_000;

/**
 * How long requests to block devices took within the window.
 *
 * @throws TracewrightError DEVICE_NOT_FOUND, PROFILER_BUSY
 */
export async function collectBioLatency(
  ctx: Context,
  query: Query,
  call: Call,
): Promise<Reading<BioLatency>> {
  const device = query.device === undefined ? null : findDevice(ctx, query.device);
  const isLinear = query.histogram_type === 'linear';
  const unit: LatencyUnit = query.milliseconds || isLinear ? 'ms' : 'us';
  const duration_ms = query.duration_seconds * 1000;
  const step = isLinear ? query.linear_bucket_ms : 0;
  const { per_device, queued } = query;
  const rungs = bioRungs(ctx, { duration_ms, device, queued, per_device, unit, step });
  const result = await boundedTrace(ctx, { kind: 'block I/O', duration_ms, rungs }, call);
  const { method, unavailable, ...parts } = traceParts(result, 'times of block requests');
  const times = result.traced?.value ?? null;
  const data: BioLatency = {
    method,
    skipped_methods: result.skipped,
    histogram_type: query.histogram_type,
    ...(isLinear ? { bucket_size_ms: query.linear_bucket_ms } : {}),
    duration_seconds: query.duration_seconds,
    ...(device === null ? {} : { device: device.name }),
    ...figures(times, unit, parts.window_ms),
    ...(per_device && times ? { per_device: byDevice(times, unit) } : {}),
  };
  return {
    data,
    ...parts,
    summary: inWords(data, parts.window_ms ?? 0),
    unavailable: [...unavailable, ...gaps(data)],
  };
}

type Figures = Pick<
  BioLatency,
  'histogram' | 'summary' | 'bytes_per_sec' | 'per_operation' | 'notes'
>;

function figures(times: BioTimes | null, unit: LatencyUnit, window_ms = 0): Figures {
  if (times === null) {
    return { histogram: null, summary: null, bytes_per_sec: null, per_operation: null, notes: [] };
  }
  const { all, operations, bytes, sums_only } = times;
  const known = !sums_only && (all.buckets.length > 0 || all.count === 0);
  const summary = { total_ios: all.count, ...latencySummary(all, unit) };
  return {
    histogram: known ? histogramRows(all, unit) : null,
    summary,
    bytes_per_sec:
      bytes === null || window_ms === 0 ? null : Math.round((bytes / window_ms) * 1000),
    per_operation:
      operations &&
      Object.fromEntries(operations.map(({ operation, took }) => [operation, short(took, unit)])),
    notes: notesOf(summary),
  };
}

function short(took: Distribution, unit: LatencyUnit): OperationTimes {
  const { avg_latency_us, max_latency_us } = latencySummary(took, unit);
  return { ios: took.count, avg_latency_us, max_latency_us };
}

function byDevice({ devices }: BioTimes, unit: LatencyUnit): Record<string, DeviceTimes> {
  const rows = devices.toSorted((a, b) => b.took.count - a.took.count).slice(0, 32);
  return Object.fromEntries(
    rows.map(({ device, took }) => {
      const { avg_latency_us, p50_us, p99_us, max_latency_us } = latencySummary(took, unit);
      return [device, { total_ios: took.count, avg_latency_us, p50_us, p99_us, max_latency_us }];
    }),
  );
}

function notesOf({ p99_us, avg_latency_us, max_latency_us }: Times): readonly string[] {
  const over = (value: number | null, most: number): boolean => value !== null && value > most;
  return [
    ...(over(p99_us, slow_p99_us)
      ? [`One request in a hundred takes ${ms(p99_us)} ms or more.`]
      : []),
    ...(over(avg_latency_us, slow_avg_us)
      ? [`Requests take ${ms(avg_latency_us)} ms on average.`]
      : []),
    ...(over(max_latency_us, slow_max_us)
      ? [`The slowest request took ${ms(max_latency_us)} ms.`]
      : []),
  ];
}

function gaps({ summary, histogram, skipped_methods }: BioLatency): readonly Unavailable[] {
  if (summary === null) return [];
  const fix = skipped_methods.find((each) => each.fix !== null)?.fix ?? null;
  if (histogram === null) {
    return [
      {
        what: 'histogram, percentiles, max_latency_us, per_operation',
        reason: 'The kernel keeps the sum of all times only; a tracer tells how they spread.',
        fix,
      },
    ];
  }
  if (summary.total_ios === 0 || summary.avg_latency_us !== null) return [];
  const reason = 'This tracer prints histograms only.';
  return [{ what: 'avg_latency_us, max_latency_us, per_operation', reason, fix }];
}

function inWords(data: BioLatency, window_ms: number): string[] {
  const { summary, method, per_operation, notes } = data;
  if (summary === null) return ['Block requests could not be measured: see unavailable.'];
  const where = data.device === undefined ? 'all devices' : data.device;
  if (summary.total_ios === 0)
    return [`No request to ${where} ended in ${window_ms} ms (${method}).`];
  const known = Object.entries({
    average: summary.avg_latency_us,
    p50: summary.p50_us,
    p99: summary.p99_us,
    max: summary.max_latency_us,
  })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${value} us`);
  const operations = Object.entries(per_operation ?? {}).map(
    ([name, { ios, avg_latency_us }]) => `${ios} ${name} (${avg_latency_us} us)`,
  );
  return [
    `${summary.total_ios} requests to ${where} in ${window_ms} ms (${method}): ${known.join(', ')}.`,
    ...(operations.length > 0 ? [`By operation: ${operations.join(', ')}.`] : []),
    ...notes,
  ];
}

/** A device by its name in /proc/diskstats, with or without /dev/; of a partition its disk. */
function findDevice({ files }: Context, asked: string): BlockDevice {
  const name = asked.replace(/^\/dev\//, '');
  const { data } = parseDiskStats(files.text('/proc/diskstats') ?? '');
  const found = data.find((each) => each.name === name);
  if (found) {
    const disks = data.filter((each) => name.startsWith(each.name) && each.major === found.major);
    const isPartition = files.exists(`/sys/class/block/${name}/partition`);
    const disk = disks.sort((a, b) => a.name.length - b.name.length)[0];
    return isPartition && disk ? disk : found;
  }
  throw new TracewrightError(
    'DEVICE_NOT_FOUND',
    `There is no block device "${name.slice(0, 60)}".`,
    `Choose from: ${data
      .slice(0, 30)
      .map((each) => each.name)
      .join(', ')}.`,
  );
}

const ms = (us: number | null): number => Math.round((us ?? 0) / 10) / 100;
