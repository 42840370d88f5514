import * as z from 'zod/v4';
import { processOf } from '../collectors/one-process.ts';
import { processIds } from '../collectors/process-ids.ts';
import { definePrompt } from './define-prompt.ts';
import { writeWorkflow } from './workflow.ts';

export const debugHighLatency = definePrompt({
  name: 'debug_high_latency',
  title: 'Debug high latency',
  description:
    'Why does a process (pid), or the machine, respond late: waiting for a CPU, preempted, moved, or blocked? Live figures included.',
  args: z.strictObject({
    pid: z
      .string()
      .regex(/^[1-9]\d{0,9}$/, 'must be a process id')
      .optional()
      .describe('process to look at; without it the whole machine'),
  }),
  complete: { pid: processIds },
  async write({ pid }, ctx, call) {
    if (pid !== undefined) processOf(ctx, Number(pid));
    const process = `stats://aggregated/process?${pid === undefined ? 'sort=wait&limit=5' : `pid=${pid}`}`;
    const target = pid === undefined ? 'this machine' : `process ${pid}`;
    return await writeWorkflow(
      {
        goal: `Find out why ${target} responds late. Time is lost in four ways: waiting for a CPU, losing it too early, moving between CPUs, or waiting for something else.`,
        uris: [process, 'stats://system/cpu', 'stats://aggregated/cpu', 'scheduler://current'],
        steps: [
          {
            title: 'Is it the scheduler at all',
            lines: [
              `\`${process}\`: \`run_queue_wait_pct\` below 1 and \`latency.avg_ns\` below 100000 mean that it gets its CPU at once; the delay is elsewhere (step 4).`,
              `A mean hides a tail: \`stats://aggregated/process?${pid === undefined ? '' : `pid=${pid}&`}trace_ms=2000\` (root, bpftrace) tells percentiles and the longest wait (\`wakeup_latency\`, \`run_queue_latency\`), and who wakes it (\`wakers\`). Without root read it three times with \`window_ms=2000\` before you exclude it.`,
            ],
          },
          {
            title: 'Who has the CPU instead',
            lines: [
              '`involuntary_per_s` high: it is preempted. `stats://aggregated/process?sort=cpu` shows by whom; compare `nice`, `policy` and `last_cpu`.',
              '`stats://aggregated/cpu`: is the CPU it runs on (`last_cpu`) full while others idle? Then look at `cpus_allowed` and at the prompt `analyze_cpu_imbalance`.',
              '`steal_pct` above 5: another guest of the hypervisor has it.',
            ],
          },
          {
            title: 'Is it moved about',
            lines: [
              'With `?trace_ms=2000`, `migrations` says how far it was moved: to another cache or node is dear.',
              '`migrations_per_s` above 1 for a steady process costs cache contents; `get_topology` says which CPUs share a cache.',
              '`freq_hz` of its CPU far below the maximum: power management.',
            ],
          },
          {
            title: 'If it does not wait for a CPU',
            lines: [
              '`state` D, and `pressure` of io or memory in `stats://system/cpu` and `stats://system/memory`: disk or memory.',
              'High `cpu_pct`: it is simply busy. `start_perf_profiling` with its `pid` and `duration_secs=10`, then `get_perf_results`.',
              'Low `cpu_pct`, state S: it waits for a lock, a timer or another process; a CPU profile will not show it.',
            ],
          },
        ],
        stop: [
          'One of the four ways has a number that explains the delay: report it, the rival process or resource, and one change to try.',
          'All four are clean over three readings: report that the scheduler is not the cause, with the figures.',
        ],
      },
      ctx,
      call,
    );
  },
});
