import * as z from 'zod/v4';
import { collectRunqLatency } from '../../collectors/runq-latency.ts';
import { defineTool } from '../define-tool.ts';

const numbers = z.looseObject({ total_wakeups: z.int(), avg_latency_us: z.number().nullable() });

export const perfRunqLatency = defineTool({
  name: 'perf_runq_latency',
  title: 'Run queue latency',
  toolset: 'host',
  effect: 'capture',
  description:
    'How long tasks that could run waited for a CPU: histogram, average, percentiles, maximum; by process or container if asked. Use it where the CPUs are busy or something is late. Traces every switch (1-3 % of a CPU at 100,000/s); perf_thread_profile tells the waits of one process without tracing.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(30).default(5).describe('s'),
    pid: z.int().min(1).optional().describe('one process'),
    per_process: z.boolean().default(false).describe('also by process'),
    per_pidns: z.boolean().default(false).describe('also by PID namespace (container)'),
    milliseconds: z.boolean().default(false).describe('ranges of ms instead of us'),
  }),
  output: z.looseObject({
    method: z.string().nullable(),
    duration_seconds: z.number(),
    histogram: z
      .array(
        z.looseObject({ range_start_us: z.number(), range_end_us: z.number(), count: z.int() }),
      )
      .readonly()
      .nullable(),
    summary: numbers.nullable(),
    interpretation: z.looseObject({ status: z.string(), detail: z.string() }).nullable(),
    notes: z.array(z.string()).readonly(),
  }),
  handle: (input, ctx, call) => collectRunqLatency(ctx, input, call),
});
