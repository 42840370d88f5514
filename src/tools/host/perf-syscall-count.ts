import * as z from 'zod/v4';
import { collectSyscallCount } from '../../collectors/syscall-count.ts';
import { defineTool } from '../define-tool.ts';

export const perfSyscallCount = defineTool({
  name: 'perf_syscall_count',
  title: 'System calls',
  toolset: 'host',
  effect: 'capture',
  description:
    'System calls of the host or one process: count, rate, latency (total, average, percentiles, maximum), errors by errno, and who makes them. Long calls of futex, poll, read or nanosleep are waits, not slow work: perf_offcpu_profile. Costs about 1 us per call.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(60).default(10).describe('s'),
    pid: z.int().min(1).optional().describe('one process'),
    comm: z.string().min(1).max(16).optional().describe('tasks of this name'),
    top_n: z.int().min(1).max(50).default(20).describe('calls listed'),
    include_latency: z.boolean().default(true).describe('with times'),
    per_process: z.boolean().default(false).describe('also by process'),
    include_errors: z.boolean().default(false).describe('failed calls alone'),
  }),
  output: z.looseObject({
    method: z.string().nullable(),
    duration_seconds: z.number(),
    target: z.string(),
    syscalls: z
      .array(z.looseObject({ name: z.string(), count: z.int(), rate_per_sec: z.number() }))
      .readonly()
      .nullable(),
    summary: z.looseObject({ total_syscalls: z.int(), unique_syscalls: z.int() }).nullable(),
    findings: z.array(z.looseObject({ id: z.string() })).readonly(),
    evidence: z.array(z.looseObject({ source: z.string() })).readonly(),
    notes: z.array(z.string()).readonly(),
  }),
  handle: (input, ctx, call) => collectSyscallCount(ctx, input, call),
});
