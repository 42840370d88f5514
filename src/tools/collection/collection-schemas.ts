import * as z from 'zod/v4';

/** What enable, disable and reset answer. */
export const collectionState = z.looseObject({
  message: z.string(),
  collection_enabled: z.boolean(),
});
