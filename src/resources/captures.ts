import * as z from 'zod/v4';
import { listCaptures } from '../collectors/kept-captures.ts';
import { readRecording } from '../recordings/kept-recording.ts';
import { defineResource, pageQuery } from './define-resource.ts';

export const capturesList = defineResource({
  uri: 'captures://list',
  name: 'captures',
  title: 'Kept captures',
  description:
    'What was recorded or profiled and is kept on this host, newest first, with size and end of life. `tracewright captures delete ID` removes one.',
  query: z.strictObject(pageQuery(50, 500)),
  read: async (query, ctx) => listCaptures(ctx, query),
});

export const captureRecording = defineResource({
  uri: 'captures://recording',
  name: 'recording',
  title: 'One recording',
  description:
    'A recording of record_trace: its window, clock, events, losses, busiest CPUs and processes, its file, and how to open it. The newest one unless id says.',
  query: z.strictObject({ id: z.string().max(64).optional().describe('of captures://list') }),
  read: async ({ id }, ctx) => readRecording(ctx, id ?? null),
});
