import * as z from 'zod/v4';
import { analyzeProfile } from '../../collectors/python-views.ts';
import { defineTool } from '../define-tool.ts';
import { profileId } from './view-arguments.ts';

export const analyzeProfileTool = defineTool({
  name: 'analyze_profile',
  title: 'Analysis of a Python profile',
  toolset: 'python',
  effect: 'read',
  description:
    'The first look at a kept profile: summary, hot lines, bottlenecks, waits, leaks, files, functions, and what to try first. For one view in full: get_cpu_hotspots, get_function_summary, get_file_details.',
  input: z.strictObject({
    profile_id: profileId,
    focus: z.enum(['cpu', 'memory', 'gpu', 'all']).default('all').describe('what to rank'),
    top_n: z.int().min(1).max(50).default(10).describe('rows per ranking'),
    cpu_threshold: z.number().min(0).max(100).default(5).describe('least % of a line'),
    memory_threshold_mb: z.number().min(0).default(10).describe('least peak of a line'),
  }),
  output: z.looseObject({
    profile_id: z.string(),
    focus: z.string(),
    hotspots: z.array(z.looseObject({})),
    leaks: z.array(z.looseObject({})),
    recommendations: z.array(z.string()),
    summary_text: z.string(),
  }),
  handle: (input, ctx) => Promise.resolve(analyzeProfile(ctx, input)),
});
