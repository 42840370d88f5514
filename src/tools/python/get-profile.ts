import * as z from 'zod/v4';
import { readKept } from '../../collectors/python-kept.ts';
import { defineTool } from '../define-tool.ts';
import { profileId } from './view-arguments.ts';

export const getProfile = defineTool({
  name: 'get_profile',
  title: 'A kept Python profile',
  toolset: 'python',
  effect: 'read',
  description:
    'How a profile was made (program, arguments, exit code, last output, versions) with its summary and files; include=stacks or collapsed gives stacks. delete=true forgets it. For the costs: analyze_profile.',
  input: z.strictObject({
    profile_id: profileId,
    include: z
      .enum(['summary', 'stacks', 'collapsed'])
      .default('summary')
      .describe('both need stacks=true'),
    delete: z.boolean().default(false).describe('forget it after reading'),
  }),
  output: z.looseObject({
    profile_id: z.string(),
    run: z.looseObject({}),
    summary: z.looseObject({}),
    files: z.array(z.looseObject({})),
  }),
  handle: (input, ctx) => Promise.resolve(readKept(ctx, input)),
});
