import * as z from 'zod/v4';
import { readFileDetails } from '../../collectors/python-file-details.ts';
import { defineTool, rarelyNeeded } from '../define-tool.ts';
import { profileId } from './view-arguments.ts';

export const getFileDetails = defineTool({
  name: 'get_file_details',
  title: 'One file of a Python profile',
  toolset: 'python',
  effect: 'read',
  description:
    'A file of a kept profile line by line: the sampled lines with a few around each, or all_lines. filename may be the end of the path.',
  input: z.strictObject({
    profile_id: profileId,
    filename: z.string().max(4096).describe('path, or its end'),
    all_lines: z.boolean().default(false).describe('idle ones too'),
    context: z.int().min(0).max(20).default(1).describe('lines around each').meta(rarelyNeeded),
    limit: z.int().min(1).max(1000).default(100).describe('lines'),
    offset: z.int().min(0).max(1_000_000).default(0).describe('lines to skip').meta(rarelyNeeded),
  }),
  output: z.looseObject({
    profile_id: z.string(),
    filename: z.string(),
    total_cpu_percent: z.number(),
    functions: z.array(z.looseObject({})),
    lines: z.array(z.looseObject({})),
  }),
  handle: (input, ctx) => Promise.resolve(readFileDetails(ctx, input)),
});
