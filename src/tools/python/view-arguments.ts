import * as z from 'zod/v4';
import { rarelyNeeded } from '../define-tool.ts';

export const profileId = z.string().max(60).describe('from profile_script, or list_profiles');

/** Paging of a ranking. */
export const top = (most: number) => ({
  top_n: z.int().min(1).max(most).default(10).describe('rows'),
  offset: z.int().min(0).max(100_000).default(0).describe('rows to skip').meta(rarelyNeeded),
});
