import * as z from 'zod/v4';
import { definePrompt } from './define-prompt.ts';
import { writeWorkflow } from './workflow.ts';

/** What a first look at a machine takes in; `tracewright` without arguments prints the same. */
export const summaryUris = [
  'topology://info',
  'scheduler://current',
  'stats://system/cpu',
  'stats://system/memory',
  'stats://system/network',
  'stats://aggregated/process?limit=5',
];

export const summarizeSystem = definePrompt({
  name: 'summarize_system',
  title: 'Summarize this machine',
  description:
    'Hardware, scheduler, load, memory, network and top processes of this host now, and what to look at next.',
  args: z.strictObject({}),
  write: (_args, ctx, call) =>
    writeWorkflow(
      {
        goal: 'Summarize this machine for someone who has never seen it: what it is, what it does, whether anything is wrong. The snapshot below was taken just now and is usually enough.',
        uris: summaryUris,
        steps: [
          {
            title: 'Hardware',
            lines: [
              'From the snapshot: CPUs, cores, SMT, last-level caches, NUMA nodes. Call `get_topology` with `detail_level=full` only if a later step needs the mapping.',
            ],
          },
          {
            title: 'Load',
            lines: [
              '`stats://system/cpu`: `util_pct`, `iowait_pct`, `steal_pct`, `context_switches_per_s`, `load`, `pressure`. Above 90 % busy, or `procs_running` far above `cpus_online`, tasks wait for CPUs.',
              '`stats://aggregated/cpu`: `spread.stddev_util_pct` above 20 points is imbalance; go on with the prompt `analyze_cpu_imbalance`.',
            ],
          },
          {
            title: 'Memory and network',
            lines: [
              '`stats://system/memory`: `available_bytes` below 10 % of `total_bytes`, or `major_faults_per_s` and `swap_in_pages_per_s` above 0 for long, is memory pressure.',
              '`stats://system/network`: any growing `recv_drops`, `sent_drops` or `recv_errs` deserves a line.',
            ],
          },
          {
            title: 'Processes',
            lines: [
              '`stats://aggregated/process?sort=cpu&limit=10`, then `sort=wait`: `run_queue_wait_pct` near 100 means that a thread mostly waits for a CPU. Go on with `debug_high_latency`.',
            ],
          },
          {
            title: 'What else can be seen',
            lines: [
              '`query_stats` lists every resource; `bpf://programs` the BPF programs loaded; a hot process is profiled with the prompt `profile_system`.',
            ],
          },
        ],
        stop: [
          'Each heading has one line with a number, and either a finding with its number or "nothing unusual".',
          'Nothing is above its threshold: say that the machine is healthy. Do not search for problems that are not there.',
        ],
      },
      ctx,
      call,
    ),
});
