import * as z from 'zod/v4';
import { collectCpuProfile } from '../../collectors/cpu-profile.ts';
import { defineTool, rarelyNeeded } from '../define-tool.ts';

export const perfCpuProfile = defineTool({
  name: 'perf_cpu_profile',
  title: 'CPU profile',
  toolset: 'host',
  effect: 'capture',
  description:
    'Which functions and processes use the CPUs: samples stacks for some seconds. Hottest functions, kernel share, processes, hot or folded stacks, without idle CPUs; a Python pid also by line (py-spy or austin). For other events or longer: start_perf_profiling. 99 Hz costs less than 1 %.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(60).default(5).describe('s'),
    sample_rate_hz: z.int().min(1).max(999).default(99).describe('per CPU'),
    pid: z.int().min(1).optional().describe('one process'),
    include_kernel: z.boolean().default(true).describe('also sample the kernel'),
    output_format: z.enum(['summary', 'collapsed']).default('summary').describe('form'),
    picture: z
      .boolean()
      .default(false)
      .describe('with the flame graph as an image')
      .meta(rarelyNeeded),
  }),
  output: z.looseObject({
    total_samples: z.int().nullable(),
    duration_seconds: z.number(),
    sample_rate: z.int(),
    top_functions: z
      .array(
        z.looseObject({
          symbol: z.string(),
          module: z.string(),
          percent: z.number(),
          samples: z.int(),
        }),
      )
      .readonly()
      .nullable(),
    kernel_percent: z.number().nullable(),
    user_percent: z.number().nullable(),
    notes: z.array(z.string()).readonly(),
  }),
  handle: (input, ctx, call) => collectCpuProfile(ctx, { ...input, keep: true }, call),
});
