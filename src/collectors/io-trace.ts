import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import { type BioLatency, collectBioLatency } from './bio-latency.ts';

/** Requests from `from_ms` to below `bucket_ms`. */
type Bucket = Readonly<{ from_ms: number; bucket_ms: number; count: number }>;

export type RequestTrace = Readonly<{
  latency_histogram: readonly Bucket[] | null;
  /** Percentiles, mean and maximum of single requests, in microseconds. */
  latency: BioLatency['summary'];
  trace_method: string | null;
  /** The tracer starts later than the counters: its window is its own. */
  trace_window_ms: number | null;
  unavailable: readonly Unavailable[];
}>;

const what = 'latency_histogram, latency';

/**
 * How the times of single requests spread, from a tracer that runs beside the counters. As they do, it
 * counts from when a request came to the scheduler.
 */
export async function traceRequests(
  ctx: Context,
  { duration_seconds, device }: Readonly<{ duration_seconds: number; device: string | null }>,
  call: Call,
): Promise<RequestTrace> {
  if (ctx.settings.readOnly) {
    return untraced('This server is read-only, and a trace attaches to the kernel.', null);
  }
  const query = {
    duration_seconds,
    ...(device === null ? {} : { device }),
    per_device: false,
    queued: true,
    milliseconds: false,
    histogram_type: 'log2' as const,
    linear_bucket_ms: 10,
  };
  try {
    const { data, window_ms = null, unavailable = [] } = await collectBioLatency(ctx, query, call);
    return {
      latency_histogram: data.histogram?.map(toBucket) ?? null,
      latency: data.summary,
      trace_method: data.method,
      trace_window_ms: window_ms,
      unavailable: unavailable.map((gap) => ({ ...gap, what: `latency: ${gap.what}` })),
    };
  } catch (error) {
    if (!(error instanceof TracewrightError) || error.code !== 'PROFILER_BUSY') throw error;
    return untraced(error.message, error.suggestion);
  }
}

const toBucket = (
  row: Readonly<{ range_start_us: number; range_end_us: number; count: number }>,
) => ({
  from_ms: row.range_start_us / 1000,
  bucket_ms: (row.range_end_us + 1) / 1000,
  count: row.count,
});

const untraced = (reason: string, fix: string | null): RequestTrace => ({
  latency_histogram: null,
  latency: null,
  trace_method: null,
  trace_window_ms: null,
  unavailable: [{ what, reason, fix }],
});
