import * as z from 'zod/v4';
import { listKept } from '../../collectors/python-kept.ts';
import { defineTool, rarelyNeeded } from '../define-tool.ts';

export const listProfilesTool = defineTool({
  name: 'list_profiles',
  title: 'Kept Python profiles',
  toolset: 'python',
  effect: 'read',
  description:
    'Ids of the kept Python profiles, newest first, with program and time. They are kept for a week.',
  input: z.strictObject({
    limit: z.int().min(1).max(200).default(20).describe('rows'),
    offset: z.int().min(0).max(1000).default(0).describe('rows to skip').meta(rarelyNeeded),
  }),
  output: z.looseObject({
    profiles: z.array(z.string()),
    details: z.array(z.looseObject({ profile_id: z.string() })),
  }),
  handle: (input, ctx) => Promise.resolve(listKept(ctx, input)),
});
