import * as z from 'zod/v4';
import { definePrompt } from './define-prompt.ts';
import { writeWorkflow } from './workflow.ts';

const areas = ['latency', 'throughput', 'balance', 'general'] as const;
type Area = (typeof areas)[number];

const latency = {
  title: 'Latency: how long runnable threads wait for a CPU',
  lines: [
    '`stats://aggregated/process?sort=wait&limit=10`: `latency.avg_ns` is the mean wait per time on CPU, `run_queue_wait_pct` the share of the window spent waiting. Mean waits below 100 µs are good, above 1 ms worth a look.',
    '`stats://aggregated/cpu`: `latency` per CPU where the kernel keeps it, else null with the reason.',
    'For one process go on with the prompt `debug_high_latency`.',
  ],
};
const throughput = {
  title: 'Throughput: what switching and moving costs',
  lines: [
    '`stats://system/cpu?window_ms=2000`: `context_switches_per_s` against `util_pct`; many thousand per CPU with much `system_pct` means that switching itself is the work.',
    '`stats://aggregated/process?sort=switches&limit=10`: `involuntary_per_s` high is preemption, `voluntary_per_s` high is blocking.',
    '`stats://aggregated/llc`: `nr_migrations` across caches costs cache contents.',
    'Where the time goes: `start_perf_profiling` with `duration_secs=10`, then `get_perf_results`; `symbol=schedule` gives the callers of that function.',
  ],
};
const balance = {
  title: 'Balance: who is busy, who is idle',
  lines: [
    '`stats://aggregated/cpu`: `spread.stddev_util_pct` below 10 points is balanced.',
    '`stats://aggregated/llc` and `stats://aggregated/node`: `util_pct` and `locality` by domain.',
    'Details: the prompt `analyze_cpu_imbalance`.',
  ],
};
const stepsOf: Readonly<Record<Area, readonly (typeof latency)[]>> = {
  latency: [latency],
  throughput: [throughput],
  balance: [balance],
  general: [latency, throughput, balance],
};

export const analyzeSchedulerPerformance = definePrompt({
  name: 'analyze_scheduler_performance',
  title: 'Analyze scheduler performance',
  description:
    'How well does the scheduler serve this host: latency, throughput, balance, or all (general). Live figures included.',
  args: z.strictObject({
    focus_area: z
      .enum(areas)
      .default('general')
      .describe('latency, throughput, balance or general (default)'),
  }),
  complete: { focus_area: () => areas },
  write: ({ focus_area }, ctx, call) =>
    writeWorkflow(
      {
        goal: `Judge how well the scheduler of this host does its work. Focus: ${focus_area}.`,
        uris: [
          'scheduler://current',
          'stats://scheduler/scx',
          'stats://system/cpu',
          'stats://aggregated/cpu',
          'stats://aggregated/process?sort=wait&limit=5',
        ],
        steps: [
          {
            title: 'Which scheduler',
            lines: [
              '`scheduler://current`: `class` sched_ext means that a BPF scheduler decides, and `stats://scheduler/scx` counts its fallbacks; otherwise the fair class does.',
            ],
          },
          ...stepsOf[focus_area],
          {
            title: 'Compare',
            lines: [
              'Repeat the decisive read once with `window_ms=5000` before concluding; quote both windows.',
            ],
          },
        ],
        stop: [
          'Every figure of the focus is inside its threshold: report that the scheduler does well here, with the figures.',
          'A figure is outside twice in a row: name it, the process or domain behind it, and one thing to try.',
        ],
      },
      ctx,
      call,
    ),
});
