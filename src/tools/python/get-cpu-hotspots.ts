import * as z from 'zod/v4';
import { readHotspots } from '../../collectors/python-views.ts';
import { defineTool } from '../define-tool.ts';
import { profileId, top } from './view-arguments.ts';

export const getCpuHotspots = defineTool({
  name: 'get_cpu_hotspots',
  title: 'CPU hotspots',
  toolset: 'python',
  effect: 'read',
  description:
    'Lines of a kept profile by CPU time: Python and native apart, waiting left out, with function, loop and what to try. For functions: get_function_summary.',
  input: z.strictObject({ profile_id: profileId, ...top(500) }),
  output: z.looseObject({
    profile_id: z.string(),
    hotspots: z
      .array(z.looseObject({ filename: z.string(), lineno: z.int(), line: z.string() }))
      .readonly(),
  }),
  handle: (input, ctx) => Promise.resolve(readHotspots(ctx, 'cpu', input)),
});
