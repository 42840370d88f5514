import * as z from 'zod/v4';
import { schedulerNames } from '../collectors/scheduler-names.ts';
import { definePrompt } from './define-prompt.ts';
import { writeWorkflow } from './workflow.ts';

export const investigateSchedulerBehavior = definePrompt({
  name: 'investigate_scheduler_behavior',
  title: 'Investigate scheduler behavior',
  description:
    'What does the running scheduler decide, and is it what one expects of it (scheduler_name)? Live figures included.',
  args: z.strictObject({
    scheduler_name: z
      .string()
      .regex(/^[\w.-]{1,128}$/, 'must be the name of a scheduler, e.g. scx_rusty')
      .optional()
      .describe('scheduler that should be running, e.g. scx_rusty or lavd'),
  }),
  complete: { scheduler_name: schedulerNames },
  write: ({ scheduler_name }, ctx, call) =>
    writeWorkflow(
      {
        goal:
          scheduler_name === undefined
            ? 'Describe how the running scheduler treats the tasks of this host.'
            : `Describe how the scheduler ${scheduler_name} treats the tasks of this host. First make sure that it is the one that runs.`,
        uris: [
          'scheduler://current',
          'stats://scheduler/scx',
          'stats://system/cpu',
          'stats://aggregated/cpu',
          'stats://aggregated/process?sort=switches&limit=5',
        ],
        steps: [
          {
            title: 'Which one runs',
            lines: [
              scheduler_name === undefined
                ? '`scheduler://current`: `name`, `class`, `state`; `switch_all` says whether every task is under it.'
                : `\`scheduler://current\`: \`name\` must be ${scheduler_name} (an ops name has a version behind it, and no scx_ in front: lavd_1.1.2 is scx_lavd) and \`active\` true. If not, say so and stop.`,
              '`nr_rejected` and `enable_seq`: tasks it refused, and how often one was loaded since boot.',
            ],
          },
          {
            title: 'What the kernel counts of it',
            lines: [
              '`stats://scheduler/scx`: rates of fallbacks and of bypass; all near 0 in a healthy scheduler.',
              '`bpf://programs?type=struct_ops&stats_ms=1000`: run time of its callbacks.',
            ],
          },
          {
            title: 'How tasks fare',
            lines: [
              '`stats://aggregated/process?sort=wait`: `latency.avg_ns` and `run_queue_wait_pct` of interactive and of busy processes. Does it favour whom it should?',
              '`involuntary_per_s` and `slice_ms`: how early it preempts.',
              '`migrations_per_s`: how sticky it is; compare with `stats://aggregated/llc`.',
            ],
          },
          {
            title: 'What it costs',
            lines: [
              '`start_perf_profiling` with `duration_secs=10`, then `get_perf_results` with `symbol=schedule`; its own BPF functions show as bpf_prog_….',
            ],
          },
        ],
        stop: [
          'You can say in three sentences whom it favours, how often it switches and moves tasks, and what that costs, each with a number.',
          'The scheduler asked about does not run: say which one does.',
        ],
      },
      ctx,
      call,
    ),
});
