import * as z from 'zod/v4';
import { collectThreadProfile } from '../../collectors/thread-profile.ts';
import { defineTool } from '../define-tool.ts';

export const perfThreadProfile = defineTool({
  name: 'perf_thread_profile',
  title: 'Threads of a process',
  toolset: 'host',
  effect: 'read',
  description:
    'What each thread of one process does: CPU, state, switches, waits for a CPU, time off it; from procfs, free and without root. include_offcpu=true also traces what they wait for. Tells busy, starved and blocked threads apart.',
  input: z.strictObject({
    pid: z.int().min(1).describe('process'),
    duration_seconds: z.int().min(1).max(30).default(5).describe('s'),
    include_offcpu: z.boolean().default(false).describe('trace what threads wait for'),
  }),
  output: z.looseObject({
    method: z.string(),
    pid: z.int(),
    process_name: z.string(),
    duration_seconds: z.number(),
    threads: z
      .array(
        z.looseObject({
          tid: z.int(),
          name: z.string(),
          state: z.string(),
          cpu_total_percent: z.number(),
        }),
      )
      .readonly(),
    process_total: z.looseObject({ cpu_total_percent: z.number(), total_threads: z.int() }),
    notes: z.array(z.string()).readonly(),
  }),
  handle: (input, ctx, call) => collectThreadProfile(ctx, input, call),
});
