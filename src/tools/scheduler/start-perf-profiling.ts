import * as z from 'zod/v4';
import { startProfiling } from '../../collectors/profiler.ts';
import { defineTool } from '../define-tool.ts';
import { profileStatus } from './profile-schemas.ts';

export const startPerfProfiling = defineTool({
  name: 'start_perf_profiling',
  title: 'Start a stack profile',
  toolset: 'scheduler',
  effect: 'capture',
  queue: 'profiler',
  description:
    'Starts a profile with perf: stacks sampled at freq Hz, or at each tracepoint. Returns at once; ends after duration_secs, at max_samples, or after 600 s; then get_perf_results. Events: sw:cpu-clock (CPU time; hw:cpu-clock is the same), sw:NAME, hw:NAME, tracepoint:SUBSYSTEM:EVENT (see list_events). One at a time. perf_cpu_profile does it in one call.',
  input: z.strictObject({
    event: z.string().max(140).default('hw:cpu-clock').describe('event to sample'),
    freq: z.int().min(1).max(10_000).default(99).describe('samples per second and CPU, Hz'),
    cpu: z.int().min(-1).max(65_535).default(-1).describe('one CPU, -1: all'),
    pid: z.int().min(-1).max(4_194_304).default(-1).describe('one process, -1: all'),
    max_samples: z
      .int()
      .min(0)
      .max(10_000_000)
      .default(10_000)
      .describe('end after so many samples, 0: no such end'),
    duration_secs: z
      .int()
      .min(0)
      .max(600)
      .default(0)
      .describe('end after so many seconds, 0: at stop_perf_profiling'),
  }),
  output: profileStatus,
  handle: (input, ctx, call) => startProfiling(ctx, input, call),
});
