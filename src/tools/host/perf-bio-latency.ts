import * as z from 'zod/v4';
import { collectBioLatency } from '../../collectors/bio-latency.ts';
import { defineTool } from '../define-tool.ts';

export const perfBioLatency = defineTool({
  name: 'perf_bio_latency',
  title: 'Block I/O latency',
  toolset: 'host',
  effect: 'capture',
  description:
    'How long requests to disks took: histogram, average, percentiles, maximum, by operation, by device if asked. Use it when perf_io_latency (cheaper, averages only) shows slow or busy disks. For files instead of disks: perf_vfs_latency.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(30).default(5).describe('s'),
    device: z.string().max(64).optional().describe('one disk, e.g. sda'),
    per_device: z.boolean().default(false).describe('also by device'),
    queued: z.boolean().default(false).describe('with the time in the I/O scheduler'),
    milliseconds: z.boolean().default(false).describe('ranges of ms instead of us'),
    histogram_type: z.enum(['log2', 'linear']).default('log2').describe('widths of ranges'),
    linear_bucket_ms: z.int().min(1).max(100).default(10).describe('width if linear'),
  }),
  output: z.looseObject({
    method: z.string().nullable(),
    histogram_type: z.string(),
    duration_seconds: z.number(),
    histogram: z
      .array(z.looseObject({ range_start_us: z.number(), count: z.int() }))
      .readonly()
      .nullable(),
    summary: z
      .looseObject({ total_ios: z.int(), avg_latency_us: z.number().nullable() })
      .nullable(),
    notes: z.array(z.string()).readonly(),
  }),
  handle: (input, ctx, call) => collectBioLatency(ctx, input, call),
});
