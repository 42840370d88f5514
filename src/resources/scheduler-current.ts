import { collectCurrentScheduler } from '../collectors/current-scheduler.ts';
import { defineResource, noQuery } from './define-resource.ts';

export const schedulerCurrent = defineResource({
  uri: 'scheduler://current',
  name: 'scheduler_current',
  title: 'Current scheduler',
  description:
    'Who schedules ordinary tasks now: the sched_ext scheduler with version, build, state and whether it took all tasks, the process that keeps it loaded (root), its sub-schedulers, or EEVDF/CFS, why no sched_ext scheduler is active and how the last one ended (ejected: with the reason that the kernel gave). Reads a few files of /sys, and the kernel log after an end.',
  query: noQuery,
  read: (_query, ctx, call) => collectCurrentScheduler(ctx, call),
});
