import * as z from 'zod/v4';
import { collectVfsLatency } from '../../collectors/vfs-latency.ts';
import { defineTool } from '../define-tool.ts';

export const perfVfsLatency = defineTool({
  name: 'perf_vfs_latency',
  title: 'Latency of file operations',
  toolset: 'host',
  effect: 'capture',
  description:
    'How long reads, writes and syncs of files took as programs saw it (cache and disk together): histogram of all, and the slow ones with file and process. perf_bio_latency tells the disk alone. Costs 1 us per read and write while it runs; mmap and io_uring are not seen.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(30).default(5).describe('s'),
    min_latency_ms: z.number().min(0).max(10_000).default(10).describe('what is slow'),
    pid: z.int().min(1).optional().describe('one process'),
    include_all_files: z.boolean().default(false).describe('pipes, sockets, devices too'),
  }),
  output: z.looseObject({
    method: z.string().nullable(),
    duration_seconds: z.number(),
    min_latency_ms: z.number(),
    operations: z.array(z.looseObject({ latency_ms: z.number(), filename: z.string() })).nullable(),
    summary: z.looseObject({ total_slow_ops: z.int() }).nullable(),
    by_file: z.array(z.looseObject({ filename: z.string() })).nullable(),
    by_process: z.array(z.looseObject({ pid: z.int() })).nullable(),
    notes: z.array(z.string()),
  }),
  handle: (input, ctx, call) => collectVfsLatency(ctx, input, call),
});
