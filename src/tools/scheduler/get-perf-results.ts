import * as z from 'zod/v4';
import { collectProfileResults } from '../../collectors/profile-results.ts';
import { defineTool } from '../define-tool.ts';

export const getPerfResults = defineTool({
  name: 'get_perf_results',
  title: 'Results of the stack profile',
  toolset: 'scheduler',
  effect: 'read',
  queue: 'profiler',
  description:
    'The functions of the last profile, hottest first: samples in itself and with all it calls, callers, process, stacks; shares of kernel, programs, idle, CPUs. symbol=NAME draws the callers of one. Flame graph and other views, later too: profile_view.',
  input: z.strictObject({
    limit: z.int().min(1).max(500).default(50).describe('functions'),
    offset: z.int().min(0).max(1_000_000).default(0).describe('functions to skip'),
    include_stacks: z.boolean().default(true).describe('with the heaviest stacks'),
    sort: z
      .enum(['self', 'total'])
      .default('self')
      .describe('by time in the function itself, or with all it calls'),
    symbol: z
      .string()
      .min(1)
      .max(300)
      .optional()
      .describe('one function, by name, "name [module]" or a part that only one has'),
  }),
  output: z.looseObject({
    symbols: z
      .array(
        z.looseObject({
          symbol: z.string(),
          module: z.string(),
          address: z.string(),
          count: z.int(),
          percentage: z.number(),
          is_kernel: z.boolean(),
          pid: z.int().nullable(),
        }),
      )
      .readonly()
      .nullable(),
    total_samples: z.int().nullable(),
    samples_collected: z.int(),
    kernel_pct: z.number().nullable(),
    user_pct: z.number().nullable(),
    lost_samples: z.int(),
  }),
  handle: (input, ctx, call) => collectProfileResults(ctx, input, call),
});
