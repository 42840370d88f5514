import { collectCurrentScheduler } from '../collectors/current-scheduler.ts';
import { defineResource, noQuery } from './define-resource.ts';

export const schedulerCurrent = defineResource({
  uri: 'scheduler://current',
  name: 'scheduler_current',
  title: 'Current scheduler',
  description:
    'Who schedules ordinary tasks now: the sched_ext scheduler with version, build, state and whether it took all tasks, its sub-schedulers, or EEVDF/CFS and why no sched_ext scheduler is active. Reads a few files of /sys.',
  query: noQuery,
  read: (_query, ctx) => Promise.resolve(collectCurrentScheduler(ctx)),
});
