import * as z from 'zod/v4';
import { readBottlenecks } from '../../collectors/python-views.ts';
import { defineTool } from '../define-tool.ts';
import { profileId } from './view-arguments.ts';

export const getBottlenecks = defineTool({
  name: 'get_bottlenecks',
  title: 'Bottlenecks by severity',
  toolset: 'python',
  effect: 'read',
  description:
    'Lines of a kept profile above thresholds, dearest first, with severity and what to try. For everything at once: analyze_profile.',
  input: z.strictObject({
    profile_id: profileId,
    cpu_threshold: z.number().min(0).max(100).default(5).describe('least % of the run'),
    memory_threshold_mb: z.number().min(0).default(10).describe('least peak'),
  }),
  output: z.looseObject({
    profile_id: z.string(),
    cpu: z.array(z.looseObject({})),
    memory: z.array(z.looseObject({})),
    gpu: z.array(z.looseObject({})),
  }),
  handle: (input, ctx) => Promise.resolve(readBottlenecks(ctx, input)),
});
