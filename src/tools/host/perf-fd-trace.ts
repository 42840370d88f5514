import * as z from 'zod/v4';
import { collectFdTrace } from '../../collectors/fd-trace.ts';
import { defineTool } from '../define-tool.ts';
import { figure, rows } from './schema-parts.ts';

export const perfFdTrace = defineTool({
  name: 'perf_fd_trace',
  title: 'File descriptors of a process',
  toolset: 'host',
  effect: 'read',
  description:
    'Open descriptors of a process over time: by type, limit, time until it is met, what the new ones lead to, whether they leak (steady growth, no burst; null: too few samples). 30 s and more show slow leaks.',
  input: z.strictObject({
    pid: z.int().min(1).max(4_194_304).describe('process'),
    duration_seconds: z.int().min(1).max(60).default(5).describe('s'),
    interval_sec: z.int().min(1).max(10).default(1).describe('s between samples'),
    include_fd_list: z.boolean().default(true).describe('list them'),
    max_fds_listed: z.int().min(10).max(1000).default(100).describe('how many'),
  }),
  output: z.looseObject({
    pid: z.int(),
    process_name: z.string(),
    duration_seconds: z.number(),
    samples: rows,
    current: z.looseObject({
      total_fds: z.int(),
      soft_limit: figure,
      hard_limit: figure,
      usage_percent: figure,
      by_type: z.looseObject({}),
    }),
    leak_detection: z.looseObject({
      fd_growth_rate: figure,
      is_likely_leak: z.boolean().nullable(),
      fd_change: z.int(),
      interpretation: z.string(),
      time_to_exhaustion_seconds: figure,
    }),
    fd_list: rows.optional(),
    notes: z.array(z.string()).readonly(),
  }),
  handle: (input, ctx, call) => collectFdTrace(ctx, input, call),
});
