import {
  type Unjudged,
  type UseReport,
  unjudged,
  useReport,
  useSignals,
} from '../analysis/use-method.ts';
import { waitsForNoReason } from '../analysis/use-signals.ts';
import type { Call, Context } from '../context.ts';
import type { Reading } from '../reading.ts';
import { observeHost } from './host-activity.ts';
import { host_sources } from './host-counters.ts';
import { readInterrupts } from './interrupt-rates.ts';
import { hardwareEvents, useFactsOf, useUnavailable } from './use-facts.ts';

/**
 * The USE method: utilization, saturation and errors of CPU, memory, disk and network, held against
 * their thresholds, over a window that starts now.
 */
export async function collectUseCheck(
  ctx: Context,
  { duration_seconds }: Readonly<{ duration_seconds: number }>,
  call: Call,
): Promise<Reading<UseReport>> {
  const before = readInterrupts(ctx.files);
  const activity = await observeHost(ctx, duration_seconds * 1000, call);
  const events = hardwareEvents(before, readInterrupts(ctx.files));
  const facts = useFactsOf(ctx, activity, events);
  const gaps = unjudged(facts);
  const data = useReport(useSignals(facts), gaps);
  return {
    data,
    source: `${host_sources}, /proc/interrupts, /sys/class/net, /sys/fs/ext4`,
    window_ms: activity.window_ms,
    warnings: activity.warnings,
    unavailable: [...activity.unavailable, ...useUnavailable(facts)],
    summary: inWords(data, gaps, activity.window_ms, waitsForNoReason(facts.cpu)),
  };
}

const next = {
  cpu: 'perf_cpu_profile tells which functions, perf_runq_latency how long tasks wait',
  memory:
    'perf_cgroup_summary tells which group, stats://aggregated/process?sort=rss which process',
  disk: 'perf_io_latency tells which device and how slow, perf_file_trace which files',
  network: 'perf_net_health tells which interface and which kind of loss',
} as const;

const throttled = 'perf_cgroup_summary tells which group is throttled';

function inWords(
  { summary, suspicions, resources }: UseReport,
  gaps: readonly Unjudged[],
  window_ms: number,
  isThrottled: boolean,
): string[] {
  const [worst] = suspicions;
  if (summary.status === null) {
    const what = gaps.map((gap) => gap.what).join(', ');
    return [
      `Over ${window_ms} ms no figure is beyond its threshold, but ${what} could not be judged.`,
    ];
  }
  if (!worst) {
    return [
      `Healthy over ${window_ms} ms: no figure is beyond its threshold.`,
      `${resources.cpu.utilization.detail}; ${resources.memory.utilization.detail}; ` +
        `${resources.disk.utilization.detail}.`,
    ];
  }
  return [
    `${summary.status} over ${window_ms} ms; ${suspicions.length} figures beyond their thresholds.`,
    ...summary.top_suspicions.slice(0, 4),
    `Next: ${worst.resource === 'cpu' && isThrottled ? throttled : next[worst.resource]}.`,
  ];
}
