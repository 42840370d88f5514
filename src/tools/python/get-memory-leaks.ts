import * as z from 'zod/v4';
import { findLeaks } from '../../collectors/python-leaks.ts';
import { defineTool } from '../define-tool.ts';
import { profileId } from './view-arguments.ts';

export const getMemoryLeaks = defineTool({
  name: 'get_memory_leaks',
  title: 'Memory leaks of a Python program',
  toolset: 'python',
  effect: 'run',
  queue: 'python',
  description:
    "Scalene's verdicts on leaks of a kept profile: hints, often wrong. verify=true RUNS the program a second time under Python's tracemalloc (1.2 to 10 times its time) and says which lines really keep growing.",
  input: z.strictObject({
    profile_id: profileId,
    verify: z.boolean().default(false).describe('run it again to make sure'),
    timeout: z.number().min(1).max(3600).default(120).describe('seconds for that run'),
  }),
  output: z.looseObject({
    profile_id: z.string(),
    leaks: z.array(z.looseObject({ filename: z.string(), lineno: z.int() })),
    verified: z.boolean(),
  }),
  handle: (input, ctx, call) => findLeaks(ctx, input, call),
});
