import * as z from 'zod/v4';
import { resetStats } from '../../collectors/collection-control.ts';
import { defineTool } from '../define-tool.ts';
import { collectionState } from './collection-schemas.ts';

export const resetStatsTool = defineTool({
  name: 'reset_stats',
  title: 'Reset the context switch statistics',
  toolset: 'collection',
  effect: 'capture',
  queue: 'collection',
  description:
    'Begins the statistics of enable_collection anew, right before the work that you want to see. Collection goes on without a gap; where it is disabled, what it had counted is gone.',
  input: z.strictObject({}),
  output: collectionState,
  handle: (_input, ctx, call) => resetStats(ctx, call),
});
