import * as z from 'zod/v4';
import { views } from '../../collectors/profile-view.ts';
import { collectProfileView } from '../../collectors/profile-view-tool.ts';
import { marks } from '../../profiles/folded-text.ts';
import { defineTool, rarelyNeeded } from '../define-tool.ts';

/** How the stackcollapse programs would write folded stacks. */
export const foldedArguments = {
  ids: z.enum(['pid', 'tid']).optional().describe('folded: behind names').meta(rarelyNeeded),
  marks: z.array(z.enum(marks)).optional().describe('folded: _[k] _[j] _[i]').meta(rarelyNeeded),
};

export const profileView = defineTool({
  name: 'profile_view',
  title: 'Views of a profile',
  toolset: 'host',
  effect: 'read',
  description:
    'Looks at a kept profile (capture_id of a profiling tool) or imports one: perf.data, perf script, folded, pprof, wprof or bpftrace JSON. A view with a dot becomes a file: flame graphs. Measures nothing.',
  input: z.strictObject({
    capture: z.string().min(1).max(4000).describe('id or file'),
    view: z.enum(views).default('summary').describe('form'),
    function: z.string().min(1).max(300).optional().describe('for callers'),
    other: z.string().max(60).optional().describe('for diff: id of before'),
    event: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('of a file with several')
      .meta(rarelyNeeded),
    ...foldedArguments,
    limit: z.int().min(1).max(500).default(30).describe('rows').meta(rarelyNeeded),
    offset: z.int().min(0).default(0).describe('rows to skip').meta(rarelyNeeded),
  }),
  output: z.looseObject({ capture_id: z.string().nullable(), view: z.string() }),
  handle: (input, ctx, call) => collectProfileView(ctx, input, call),
});
