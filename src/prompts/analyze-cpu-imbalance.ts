import * as z from 'zod/v4';
import { definePrompt } from './define-prompt.ts';
import { writeWorkflow } from './workflow.ts';

export const analyzeCpuImbalance = definePrompt({
  name: 'analyze_cpu_imbalance',
  title: 'Analyze CPU imbalance',
  description:
    'Is load spread unevenly over CPUs, caches or NUMA nodes, why, and does it hurt? Live figures included.',
  args: z.strictObject({}),
  write: (_args, ctx, call) =>
    writeWorkflow(
      {
        goal: 'Find out whether CPU load on this host is out of balance, why, and whether it costs anything.',
        uris: [
          'topology://info',
          'stats://aggregated/cpu',
          'stats://aggregated/llc',
          'stats://aggregated/node',
          'stats://aggregated/process?sort=wait&limit=5',
        ],
        steps: [
          {
            title: 'How uneven',
            lines: [
              '`stats://aggregated/cpu?window_ms=3000`: `spread` gives min, max, mean and standard deviation of `util_pct`; below 10 points is balanced.',
              'Read it twice. A CPU that is hot only once is noise; one that stays hot is a finding.',
            ],
          },
          {
            title: 'Between which domains',
            lines: [
              'Compare `util_pct` in `stats://aggregated/llc` and `stats://aggregated/node`. Uneven inside one cache is a matter of placement, between nodes of memory too: see `locality`.',
            ],
          },
          {
            title: 'Does anything wait',
            lines: [
              'As root: `stats://aggregated/llc?trace_ms=2000` tells p99 of `run_queue_latency` by cache, and `cpu?trace_ms=2000` by CPU; alike everywhere means that nothing waits behind the hot ones.',
              '`stats://aggregated/process?sort=wait`: imbalance hurts only where `run_queue_wait_pct` is high while other CPUs are idle.',
            ],
          },
          {
            title: 'Why',
            lines: [
              'Pinned: `cpus_allowed` of the waiting process is narrower than the machine.',
              'Interrupts: `irq_pct` and `softirq_pct` of the hot CPU; with `?trace_ms=2000`, `softirq` says which.',
              'Too few threads: one busy thread per hot CPU is not imbalance, it is a serial program.',
              'Moves: `migrations_per_s` per CPU and per process; many moves with no gain is ping-pong. With `?trace_ms=2000`, `top_moves` says between which CPUs.',
              'Frequency or capacity: `freq_hz` here, capacities in `get_topology` with `detail_level=full`.',
            ],
          },
        ],
        stop: [
          'Standard deviation below 10 points over two readings, or no process with `run_queue_wait_pct` above 5: report balanced.',
          'One cause explains the hot CPUs and is backed by a number: report it with the change to try (taskset, irqbalance, cpuset, more threads).',
        ],
      },
      ctx,
      call,
    ),
});
