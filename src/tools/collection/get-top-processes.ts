import * as z from 'zod/v4';
import { collectTopProcesses, sortKeys } from '../../collectors/collection-processes.ts';
import { defineTool } from '../define-tool.ts';

export const getTopProcesses = defineTool({
  name: 'get_top_processes',
  title: 'Processes that switch most',
  toolset: 'collection',
  effect: 'read',
  queue: 'collection',
  description:
    'Processes that were switched to and away from most since enable_collection or reset_stats, without our own. Process 0 is the idle task. Without tracing: stats://aggregated/process?sort=switches.',
  input: z.strictObject({
    limit: z.int().min(1).max(1000).default(10).describe('how many processes'),
    sort_by: z.enum(sortKeys).default('total').describe('what to rank by'),
    offset: z.int().min(0).default(0).describe('how many to leave out'),
  }),
  output: z.looseObject({
    top_processes: z
      .array(
        z.looseObject({
          tgid: z.int(),
          comm: z.string().nullable(),
          switches_from: z.int(),
          switches_to: z.int(),
          total_switches: z.int(),
        }),
      )
      .readonly()
      .nullable(),
    sort_by: z.string(),
    limit: z.int(),
    total_processes: z.int().nullable(),
  }),
  handle: (input, ctx, call) => collectTopProcesses(ctx, input, call),
});
