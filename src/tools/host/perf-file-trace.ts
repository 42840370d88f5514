import * as z from 'zod/v4';
import { collectFileTrace } from '../../collectors/file-trace.ts';
import { defineTool } from '../define-tool.ts';

export const perfFileTrace = defineTool({
  name: 'perf_file_trace',
  title: 'File operations traced',
  toolset: 'host',
  effect: 'capture',
  description:
    'Which files are slow to read or write (slow_ops), live only shortly (file_lifecycle) or are opened (opens), with the process. Use it to name files; for how latency spreads use perf_vfs_latency. Costs 1 us per system call of these while it runs.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(30).default(5).describe('s'),
    pid: z.int().min(1).optional().describe('one process'),
    min_latency_ms: z.number().min(0).max(10_000).default(10).describe('for slow_ops'),
    mode: z
      .enum(['slow_ops', 'file_lifecycle', 'opens', 'all'])
      .default('slow_ops')
      .describe('what to watch'),
    include_all_files: z.boolean().default(false).describe('pipes, sockets, devices too'),
  }),
  output: z.looseObject({
    method: z.string().nullable(),
    duration_seconds: z.number(),
    slow_ops: z
      .looseObject({ summary: z.looseObject({}) })
      .nullable()
      .optional(),
    file_lifecycle: z
      .looseObject({ summary: z.looseObject({}) })
      .nullable()
      .optional(),
    opens: z
      .looseObject({ summary: z.looseObject({}) })
      .nullable()
      .optional(),
    truncated: z.boolean(),
    notes: z.array(z.string()),
  }),
  handle: (input, ctx, call) => collectFileTrace(ctx, input, call),
});
