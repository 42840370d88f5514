import * as z from 'zod/v4';
import { collectKprobeFunctions } from '../collectors/kprobe-functions.ts';
import { defineResource, pageQuery } from './define-resource.ts';

export const eventsKprobe = defineResource({
  uri: 'events://kprobe',
  name: 'events_kprobe',
  title: 'Kernel functions that can be probed',
  description:
    'Functions of this kernel, 500 at a time: the list of ftrace, else the functions in BTF, else the code symbols; `attach` tells as what, `kprobes_available` and `fentry_available` whether this kernel takes such a probe at all. ?match=tcp_send narrows it.',
  query: z.strictObject({
    ...pageQuery(500, 2000),
    match: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('text in the name or its module, any case'),
  }),
  read: (query, ctx, call) => collectKprobeFunctions(ctx, query, call),
});
