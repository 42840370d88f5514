import * as z from 'zod/v4';
import { readHotspots } from '../../collectors/python-views.ts';
import { defineTool } from '../define-tool.ts';
import { profileId, top } from './view-arguments.ts';

export const getMemoryHotspots = defineTool({
  name: 'get_memory_hotspots',
  title: 'Memory hotspots',
  toolset: 'python',
  effect: 'read',
  description:
    'Lines of a kept profile by peak memory, with what to try. Memory is sampled: small allocations are invisible. For growth: get_memory_leaks.',
  input: z.strictObject({ profile_id: profileId, ...top(500) }),
  output: z.looseObject({
    profile_id: z.string(),
    hotspots: z
      .array(z.looseObject({ filename: z.string(), lineno: z.int(), line: z.string() }))
      .readonly(),
  }),
  handle: (input, ctx) => Promise.resolve(readHotspots(ctx, 'memory', input)),
});
