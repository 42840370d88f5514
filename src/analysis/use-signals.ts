import type { UseAspect, UseFacts, UseResource, UseSignal } from './use-facts.ts';
import { judge, type Thresholds, useThresholds } from './use-thresholds.ts';

/** Fewer requests than this say nothing of their mean wait. */
export const min_requests = 10;
/** Fewer segments sent again than this say nothing of their share. */
const min_retransmits = 5;

type Parts = Readonly<{
  resource: UseResource;
  aspect: UseAspect;
  metric: string;
  value: number | null;
  unit: string;
  limits: Thresholds;
  detail: string;
  count?: number | null;
}>;

function signal({ limits, detail, ...rest }: Parts): UseSignal {
  const { value, metric } = rest;
  const thresholds = { warning: limits.warning, critical: limits.critical };
  if (value === null)
    return { ...rest, thresholds, status: null, detail: `${metric} is not known` };
  return { ...rest, thresholds, status: judge(value, limits), detail };
}

type Share = Readonly<{ stalled_some_pct: number | null; stalled_full_pct?: number | null }>;

/** Pressure has thresholds of its own: a percent is never held against those of a queue. */
function stalls(resource: UseResource, what: string, share: Share): UseSignal[] {
  const parts = { resource, aspect: 'saturation', unit: 'percent' } as const;
  const { stalled_some_pct, stalled_full_pct } = share;
  const some = signal({
    ...parts,
    metric: 'stalled_some_pct',
    value: stalled_some_pct,
    limits: useThresholds.stalled_some_pct,
    detail: `some task waited for ${what} ${stalled_some_pct} % of the window (PSI)`,
  });
  if (stalled_full_pct === undefined) return [some];
  const full = signal({
    ...parts,
    metric: 'stalled_full_pct',
    value: stalled_full_pct,
    limits: useThresholds.stalled_full_pct,
    detail: `all tasks waited for ${what} ${stalled_full_pct} % of the window (PSI)`,
  });
  return [some, full];
}

export function cpuSignals(cpu: UseFacts['cpu']): UseSignal[] {
  const resource = 'cpu';
  const { cpus, busy_pct, steal_pct, run_queue, hardware_events } = cpu;
  const { warning, critical } = useThresholds.run_queue_per_cpu;
  return [
    signal({
      resource,
      aspect: 'utilization',
      metric: 'busy_pct',
      value: busy_pct,
      unit: 'percent',
      limits: useThresholds.cpu_busy_pct,
      detail: `CPUs ${busy_pct} % busy`,
    }),
    signal({
      resource,
      aspect: 'saturation',
      metric: 'run_queue',
      value: run_queue,
      unit: 'tasks',
      limits: { warning: warning * cpus, critical: critical * cpus },
      detail: `${run_queue} tasks run or wait on ${cpus} CPUs`,
    }),
    ...stalls(resource, 'a CPU', { stalled_some_pct: cpu.stalled_some_pct }).map((each) => ({
      ...each,
      detail:
        waitsForNoReason(cpu) && cpu.throttled !== false
          ? `${each.detail}, ${throttled_hint}`
          : each.detail,
    })),
    signal({
      resource,
      aspect: 'saturation',
      metric: 'steal_pct',
      value: steal_pct,
      unit: 'percent',
      limits: useThresholds.steal_pct,
      detail: `the hypervisor took ${steal_pct} % of the CPU time`,
    }),
    signal({
      resource,
      aspect: 'errors',
      metric: 'hardware_events',
      value: hardware_events,
      unit: 'events',
      limits: useThresholds.fault,
      count: hardware_events,
      detail: `${hardware_events} machine checks and thermal events`,
    }),
  ];
}

/** Tasks of a group that has used up its share wait as well, on CPUs that have room. */
export function waitsForNoReason({ cpus, busy_pct, run_queue, stalled_some_pct }: UseFacts['cpu']) {
  const { cpu_busy_pct, stalled_some_pct: stalled } = useThresholds;
  const room = busy_pct !== null && busy_pct <= cpu_busy_pct.warning;
  const queued = run_queue === null || run_queue > cpus;
  return room && !queued && (stalled_some_pct ?? 0) > stalled.warning;
}

const throttled_hint = 'though the CPUs have room: a cgroup may be throttled';

export function memorySignals(memory: UseFacts['memory']): UseSignal[] {
  const resource = 'memory';
  const { used_pct, swap_used_pct, swap_pages, oom_kills, corrupted_bytes } = memory;
  const { swap_used_pct: moving, still_swap_used_pct: still } = useThresholds;
  return [
    signal({
      resource,
      aspect: 'utilization',
      metric: 'used_pct',
      value: used_pct,
      unit: 'percent',
      limits: useThresholds.memory_used_pct,
      detail: `${round(100 - (used_pct ?? 0))} % of memory available`,
    }),
    ...stalls(resource, 'memory', memory),
    ...(swap_used_pct === null
      ? []
      : [
          signal({
            resource,
            aspect: 'saturation',
            metric: 'swap_used_pct',
            value: swap_used_pct,
            unit: 'percent',
            limits: (swap_pages ?? 0) > 0 ? moving : still,
            detail: `${swap_used_pct} % of swap used, ${swap_pages ?? 'unknown'} pages moved`,
          }),
        ]),
    signal({
      resource,
      aspect: 'errors',
      metric: 'oom_kills',
      value: oom_kills,
      unit: 'kills',
      limits: useThresholds.kill,
      count: oom_kills,
      detail: `${oom_kills} processes killed for want of memory`,
    }),
    signal({
      resource,
      aspect: 'errors',
      metric: 'corrupted_bytes',
      value: corrupted_bytes,
      unit: 'bytes',
      limits: useThresholds.fault,
      detail: `${corrupted_bytes} bytes of memory are broken`,
    }),
  ];
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** The device with the highest value, where any has one. */
function worst<T>(all: readonly T[] | null, value: (each: T) => number | null): T | undefined {
  return all?.reduce<T | undefined>((top, each) => {
    const mine = value(each);
    if (mine === null) return top;
    return top === undefined || mine > (value(top) ?? -1) ? each : top;
  }, undefined);
}

export function diskSignals(disk: UseFacts['disk']): UseSignal[] {
  const resource = 'disk';
  const { devices, filesystem_errors } = disk;
  const busy = worst(devices, (each) => each.busy_pct);
  const queue = worst(devices, (each) => each.queue);
  const used = devices?.filter(({ requests }) => (requests ?? 0) >= min_requests) ?? null;
  const slow = worst(used, (each) => each.wait_ms);
  return [
    signal({
      resource,
      aspect: 'utilization',
      metric: 'busy_pct',
      value: busy?.busy_pct ?? null,
      unit: 'percent',
      limits: useThresholds.disk_busy_pct,
      detail: `${busy?.name} busy ${busy?.busy_pct} % of the time`,
    }),
    signal({
      resource,
      aspect: 'saturation',
      metric: 'queue',
      value: queue?.queue ?? null,
      unit: 'requests',
      limits: useThresholds.disk_queue,
      detail: `${queue?.queue} requests under way on ${queue?.name}`,
    }),
    signal({
      resource,
      aspect: 'saturation',
      metric: 'wait_ms',
      value: slow?.wait_ms ?? null,
      unit: 'ms',
      limits: useThresholds.disk_wait_ms,
      detail: `a request to ${slow?.name} takes ${slow?.wait_ms} ms`,
    }),
    ...stalls(resource, 'I/O', disk),
    signal({
      resource,
      aspect: 'errors',
      metric: 'filesystem_errors',
      value: filesystem_errors,
      unit: 'errors',
      limits: useThresholds.fault,
      count: filesystem_errors,
      detail: `file systems have recorded ${filesystem_errors} errors`,
    }),
  ];
}

/** Of all links that tell; null where none does. */
function errorsOf(links: UseFacts['network']['links']): number | null {
  const known = (links ?? []).flatMap(({ errors }) => errors ?? []);
  return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0);
}

export function networkSignals(network: UseFacts['network']): UseSignal[] {
  const resource = 'network';
  const { links, retransmits, retransmit_pct } = network;
  const full = worst(links, (each) => each.used_pct);
  const lossy = worst(links, (each) => each.drops_per_s);
  const faulty = worst(links, (each) => each.errors_per_s);
  const enough = (retransmits ?? 0) >= min_retransmits;
  const perSecond = (metric: string, value: number | null, detail: string) =>
    signal({
      resource,
      aspect: 'saturation',
      metric,
      value,
      unit: 'per_s',
      limits: useThresholds.drops_per_s,
      detail,
    });
  return [
    signal({
      resource,
      aspect: 'utilization',
      metric: 'link_used_pct',
      value: full?.used_pct ?? null,
      unit: 'percent',
      limits: useThresholds.link_used_pct,
      detail: `${full?.name} carries ${full?.used_pct} % of its speed`,
    }),
    perSecond(
      'drops_per_s',
      lossy?.drops_per_s ?? null,
      `${lossy?.name} drops ${lossy?.drops_per_s} packets/s`,
    ),
    perSecond(
      'listen_drops_per_s',
      network.listen_drops_per_s,
      `${network.listen_drops_per_s} connections/s turned away by full accept queues`,
    ),
    perSecond(
      'udp_drops_per_s',
      network.udp_drops_per_s,
      `${network.udp_drops_per_s} datagrams/s dropped by full receive buffers`,
    ),
    signal({
      resource,
      aspect: 'errors',
      metric: 'link_errors_per_s',
      value: faulty?.errors_per_s ?? null,
      unit: 'per_s',
      limits: useThresholds.link_errors_per_s,
      count: errorsOf(links),
      detail: `${faulty?.name} has ${faulty?.errors_per_s} errors/s`,
    }),
    signal({
      resource,
      aspect: 'errors',
      metric: 'retransmit_pct',
      value: retransmit_pct,
      unit: 'percent',
      // One lost segment of twenty is no rate yet.
      limits: enough ? useThresholds.retransmit_pct : useThresholds.none,
      count: retransmits,
      detail: `${retransmit_pct} % of TCP segments sent again (${retransmits} in the window)`,
    }),
  ];
}
