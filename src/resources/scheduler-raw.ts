import * as z from 'zod/v4';
import { collectSchedulerStats } from '../collectors/scx-stats.ts';
import { defineResource, wholeNumber } from './define-resource.ts';

export const schedulerRaw = defineResource({
  uri: 'stats://scheduler/raw',
  name: 'scheduler_raw',
  title: "The scheduler's own statistics (scx_stats)",
  description:
    'What the loaded sched_ext scheduler tells about itself over its scx_stats socket: queues, dispatches, migrations, per layer for scx_layered, in its own names and units. Most schedulers count from read to read: a daemon answers since the last read (up to 5 min), else a one-second window is measured. Integers beyond 2^53 come as decimal text. Large answers are cut to whole entries: path=layers.batch selects a part. With scx_lavd it interrupts a running monitor. No scheduler: says why, at once.',
  queue: 'scx-stats',
  query: z.strictObject({
    target: z
      .string()
      .regex(/^\w[\w.-]{0,63}$/, 'must be a plain name')
      .default('top')
      .describe('which statistics, default top; scx_lavd also has sched_samples'),
    nr_samples: wholeNumber(1, 1000)
      .optional()
      .describe('scheduling events to sample, with target=sched_samples of scx_lavd'),
    meta: z
      .string()
      .regex(/^\w{1,64}$/, 'must be true, false or the name of a struct')
      .default('false')
      .describe('true: also the descriptions of the fields; a name: those of one struct'),
    path: z.string().max(500).default('').describe('only this part, such as layers.batch'),
    limit: wholeNumber(1, 10_000).default(2000).describe('entries of the part, default 2000'),
    offset: wholeNumber(0, 10_000_000).default(0).describe('entries to skip, default 0'),
    window_ms: wholeNumber(100, 10_000)
      .optional()
      .describe('measure afresh for so long; else since the last read (daemon), or 1000'),
  }),
  read: (query, ctx, call) => collectSchedulerStats(ctx, query, call),
});
