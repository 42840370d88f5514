import * as z from 'zod/v4';
import { enableCollection } from '../../collectors/collection-control.ts';
import { defineTool } from '../define-tool.ts';
import { collectionState } from './collection-schemas.ts';

export const enableCollectionTool = defineTool({
  name: 'enable_collection',
  title: 'Begin to count context switches',
  toolset: 'collection',
  effect: 'capture',
  queue: 'collection',
  description:
    'Begins to count context switches of every process in the kernel and resets the statistics; get_scheduling_stats and get_top_processes tell them. Costs each switch less than 1 us until disable_collection or the time limit. For waits: perf_runq_latency.',
  input: z.strictObject({
    duration_secs: z
      .int()
      .min(1)
      .max(86_400)
      .default(3600)
      .describe('time limit at which it ends by itself'),
  }),
  output: collectionState,
  handle: (input, ctx, call) => enableCollection(ctx, input, call),
});
