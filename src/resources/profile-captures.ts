import * as z from 'zod/v4';
import { resourceDocument } from '../answer.ts';
import { profileViewContent, profileViewDocument, views } from '../collectors/profile-view.ts';
import { defineResource, pageQuery } from './define-resource.ts';

const query = z.strictObject({
  id: z.string().max(60).describe('of a kept profile'),
  view: z.enum(views).describe('what of it'),
  function: z.string().min(1).max(300).optional().describe('whose callers'),
  other: z.string().max(60).optional().describe('for diff: the profile from before'),
  ...pageQuery(30, 500),
});

export const profileCaptures = defineResource({
  uri: 'profiling://captures/{id}/{view}',
  name: 'profile_captures',
  title: 'Views of a kept profile',
  description:
    'A profile that perf_cpu_profile, perf_offcpu_profile, start_perf_profiling or profile_view kept: rows as JSON (summary, top, callers, tree, folded, diff) or a file (flame graph, folded stacks, speedscope, pprof). Measures nothing.',
  query,
  read: ({ id, ...rest }, ctx) => Promise.resolve(profileViewDocument(ctx, id, rest)),
  text({ id, ...rest }, ctx) {
    const made = profileViewContent(ctx, id, rest);
    return Promise.resolve('data' in made ? JSON.stringify(resourceDocument(made, ctx)) : made);
  },
});
