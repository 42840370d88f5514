import * as z from 'zod/v4';
import { collectOffcpuProfile } from '../../collectors/offcpu-profile.ts';
import { defineTool, rarelyNeeded } from '../define-tool.ts';

export const perfOffcpuProfile = defineTool({
  name: 'perf_offcpu_profile',
  title: 'Off-CPU profile',
  toolset: 'host',
  effect: 'capture',
  description:
    'What threads wait for while they do not run: blocked time by kind (lock, disk_io, network, sleep, …), function, process and stack. Use it where something is slow and CPUs are not busy (else perf_cpu_profile); ask for one pid, since most waiting is idle. Costs some us per switch that blocks.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(60).default(5).describe('s'),
    pid: z.int().min(1).optional().describe('one process'),
    min_block_us: z
      .int()
      .min(1)
      .max(60_000_000)
      .default(1000)
      .describe('leaves out shorter waits, us'),
    kernel_stacks: z.boolean().default(true).describe('stacks with frames of the kernel'),
    user_stacks: z.boolean().default(true).describe('stacks with frames of programs'),
    picture: z
      .boolean()
      .default(false)
      .describe('with the flame graph as an image')
      .meta(rarelyNeeded),
  }),
  output: z.looseObject({
    method: z.string().nullable(),
    duration_seconds: z.number(),
    total_blocked_us: z.number().nullable(),
    total_blocked_ms: z.number().nullable(),
    top_blockers: z
      .array(z.looseObject({ function: z.string(), wait_type: z.string(), blocked_us: z.number() }))
      .readonly()
      .nullable(),
    sample_stacks: z
      .array(z.looseObject({ stack: z.array(z.string()).readonly(), blocked_us: z.number() }))
      .readonly()
      .nullable(),
    notes: z.array(z.string()).readonly(),
  }),
  handle: (input, ctx, call) => collectOffcpuProfile(ctx, { ...input, keep: true }, call),
});
