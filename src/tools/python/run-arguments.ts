import * as z from 'zod/v4';
import { rarelyNeeded } from '../define-tool.ts';

/** Options of both tools that run a program, with the defaults that the documents give. */
export const runArguments = {
  memory: z.boolean().default(true).describe('allocations too; slower'),
  gpu: z.boolean().default(false).describe('GPU time'),
  cpu: z.boolean().default(true).describe('false hides CPU columns; Scalene always samples'),
  cpu_only: z.boolean().default(false).describe('no memory, no GPU').meta(rarelyNeeded),
  stacks: z.boolean().default(false).describe('call stacks'),
  cpu_sampling_rate: z.number().min(0.0001).max(10).default(0.01).describe('seconds'),
  cpu_percent_threshold: z.number().min(0).max(100).optional().describe('least % of a line, 1'),
  malloc_threshold: z.int().min(0).optional().describe('least bytes of a line, 100'),
  profile_only: z.string().max(300).default('').describe('parts of file names, comma separated'),
  profile_exclude: z.string().max(300).default('').describe('likewise, left out'),
  profile_all: z.boolean().default(false).describe('libraries too').meta(rarelyNeeded),
  reduced_profile: z.boolean().default(false).describe('only active lines'),
  use_virtual_time: z.boolean().default(false).describe('CPU time, without waiting'),
  memory_leak_detector: z.boolean().default(true).describe("with Scalene's leak verdicts"),
  allocation_sampling_window: z
    .int()
    .min(1024)
    .max(2 ** 30)
    .optional()
    .describe('bytes'),
};

export const runAliases = {
  include_memory: 'memory',
  include_gpu: 'gpu',
  script_args: 'args',
};

export const summaryFields = z.looseObject({
  profile_id: z.string(),
  summary: z.looseObject({
    elapsed_time_sec: z.number().nullable(),
    max_memory_mb: z.number().nullable(),
    python_time_percent: z.number(),
    native_time_percent: z.number(),
    waiting_time_percent: z.number(),
  }),
  text_summary: z.string(),
});
