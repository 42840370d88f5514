import * as z from 'zod/v4';
import { disableCollection } from '../../collectors/collection-control.ts';
import { defineTool } from '../define-tool.ts';
import { collectionState } from './collection-schemas.ts';

export const disableCollectionTool = defineTool({
  name: 'disable_collection',
  title: 'End counting context switches',
  toolset: 'collection',
  effect: 'capture',
  queue: 'collection',
  description:
    'Ends what enable_collection began and detaches from the kernel, so that it costs nothing more. The statistics stay, with their window frozen, until the next enable_collection or reset_stats.',
  input: z.strictObject({}),
  output: collectionState,
  handle: (_input, ctx, call) => disableCollection(ctx, call),
});
