import * as z from 'zod/v4';
import { readFunctionSummary } from '../../collectors/python-views.ts';
import { defineTool } from '../define-tool.ts';
import { profileId, top } from './view-arguments.ts';

export const getFunctionSummary = defineTool({
  name: 'get_function_summary',
  title: 'Python functions by cost',
  toolset: 'python',
  effect: 'read',
  description:
    'Functions of a kept profile: CPU (Python, native), waiting, memory. Each line counts once, so they add up to the run.',
  input: z.strictObject({ profile_id: profileId, ...top(500) }),
  output: z.looseObject({
    profile_id: z.string(),
    functions: z.array(z.looseObject({ function_name: z.string(), file: z.string() })),
  }),
  handle: (input, ctx) => Promise.resolve(readFunctionSummary(ctx, input)),
});
