import * as z from 'zod/v4';
import { compareStored } from '../../collectors/python-comparison.ts';
import { defineTool } from '../define-tool.ts';
import { profileId } from './view-arguments.ts';

const more = z.array(z.string().max(60)).max(9).default([]);

export const compareProfilesTool = defineTool({
  name: 'compare_profiles',
  title: 'Two Python profiles compared',
  toolset: 'python',
  effect: 'read',
  description:
    'What changed between two kept profiles, regressions first: elapsed time, memory, CPU seconds by function (matched by name, not by line). Give ids of repeated runs in more_before and more_after, and their spread is the noise; else 5 % is assumed.',
  input: z.strictObject({
    before_id: profileId,
    after_id: profileId,
    more_before: more.describe('repeated runs of the first'),
    more_after: more.describe('repeated runs of the second'),
    top_n: z.int().min(1).max(50).default(10).describe('functions'),
  }),
  output: z.looseObject({
    runtime_before_sec: z.number().nullable(),
    runtime_after_sec: z.number().nullable(),
    runtime_change_percent: z.number().nullable(),
    regressions: z.array(z.string()),
    improvements: z.array(z.string()),
    overall_improved: z.boolean(),
    summary_text: z.string(),
  }),
  handle: (input, ctx) => Promise.resolve(compareStored(ctx, input)),
});
