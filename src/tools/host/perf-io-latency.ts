import * as z from 'zod/v4';
import { collectIoLatency } from '../../collectors/io-latency.ts';
import { defineTool } from '../define-tool.ts';
import { figure, rows } from './schema-parts.ts';

export const perfIoLatency = defineTool({
  name: 'perf_io_latency',
  title: 'Disk latency and use',
  toolset: 'host',
  effect: 'read',
  description:
    'Each block device over the window, as iostat -x: rates, mean wait of reads and writes, queue, share of busy time; partitions apart. mode=trace (root) adds a histogram of single requests; see perf_bio_latency.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(30).default(5).describe('window, s'),
    device: z.string().min(1).max(200).optional().describe('sda, /dev/sda or dm name'),
    mode: z.enum(['snapshot', 'trace']).default('snapshot').describe('counters, or requests too'),
  }),
  output: z.looseObject({
    mode: z.string(),
    duration_seconds: z.number(),
    devices: z
      .array(
        z.looseObject({
          name: z.string(),
          reads_per_sec: figure,
          writes_per_sec: figure,
          read_bytes_per_sec: figure,
          write_bytes_per_sec: figure,
          avg_queue_size: figure,
          utilization: figure,
          avg_wait_ms: figure,
        }),
      )
      .readonly(),
    partitions: rows,
    latency_histogram: rows.nullable().optional(),
    notes: z.array(z.string()).readonly(),
  }),
  handle: (input, ctx, call) => collectIoLatency(ctx, input, call),
});
