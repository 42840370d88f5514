import * as z from 'zod/v4';
import { collectSchedExtStats } from '../collectors/sched-ext-stats.ts';
import { defineResource } from './define-resource.ts';
import { windowQuery } from './window-query.ts';

export const schedulerScx = defineResource({
  uri: 'stats://scheduler/scx',
  name: 'scheduler_scx',
  title: 'sched_ext counters of the kernel',
  description:
    'What the kernel counts of its sched_ext scheduler (SCX_EV_*: fallbacks, bypasses, refilled slices, …): totals since it was loaded, and growth and rates over half a second (daemon: since the last read). At once and unavailable with the reason where none is loaded.',
  query: z.strictObject(windowQuery),
  read: ({ window_ms }, ctx, call) => collectSchedExtStats(ctx, window_ms, call),
});
