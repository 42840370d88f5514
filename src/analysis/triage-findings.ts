import type { Area, Finding, TriageFacts } from './triage-facts.ts';
import type { UseResource, UseSignal } from './use-facts.ts';

export const areas: Readonly<Record<UseResource, Area>> = {
  cpu: 'cpu',
  memory: 'memory',
  disk: 'io',
  network: 'network',
};

/** Every figure beyond its threshold, the worst first. */
export function triageFindings(facts: TriageFacts): readonly Finding[] {
  const found = [
    ...facts.signals.flatMap(ofSignal),
    ...waits(facts),
    ...throttling(facts),
    ...memory(facts),
    ...disks(facts),
    ...storms(facts),
    ...focused(facts),
  ];
  return found.sort((a, b) => ranks[b.severity] - ranks[a.severity]);
}

const ranks = { critical: 2, warning: 1, info: 0 } as const;

function ofSignal(signal: UseSignal): Finding[] {
  const { status, resource, metric, value, thresholds, detail } = signal;
  if (status !== 'warning' && status !== 'critical') return [];
  return [
    {
      id: `${resource}_${metric}`,
      severity: status,
      category: areas[resource],
      title: detail,
      metric,
      value,
      threshold: status === 'critical' ? thresholds.critical : thresholds.warning,
      source: 'perf_use_check',
    },
  ];
}

/** A limit of its own for each figure: [warning, critical]. */
type Limits = readonly [number, number];

function held(
  value: number | null | undefined,
  [warning, critical]: Limits,
  finding: Omit<Finding, 'severity' | 'value' | 'threshold'>,
): Finding[] {
  if (value == null || value <= warning) return [];
  const isCritical = value > critical;
  return [
    {
      ...finding,
      value,
      severity: isCritical ? 'critical' : 'warning',
      threshold: isCritical ? critical : warning,
    },
  ];
}

/** The kernel itself says that hardly any task waited for a CPU. */
function nobodyWaits({ signals }: TriageFacts): boolean {
  const stalled = signals.find(
    ({ resource, metric }) => resource === 'cpu' && metric === 'stalled_some_pct',
  );
  return stalled?.status === 'ok';
}

function waits(facts: TriageFacts): Finding[] {
  const { run_queue, processes, switches_per_s, cpus } = facts;
  const [longest] = processes.toSorted((a, b) => (b.wait_pct ?? 0) - (a.wait_pct ?? 0));
  return [
    ...held(run_queue?.p99_us, [5000, 20_000], {
      id: 'run_queue_latency',
      category: 'cpu',
      title: `one wait for a CPU in a hundred lasts ${run_queue?.p99_us} us or more`,
      metric: 'run_queue_p99_us',
      source: 'perf_runq_latency',
    }).map((finding) =>
      // It is measured while our own tracers start; pressure, before.
      nobodyWaits(facts) ? { ...finding, severity: 'info' as const } : finding,
    ),
    ...held(longest?.wait_pct, [25, 75], {
      id: 'process_waits_for_cpu',
      category: 'cpu',
      // Ready threads wait at the same time: the sum of a process can be above 100 %.
      title: `${longest?.comm} (${longest?.pid}) waits for a CPU ${longest?.wait_pct} % of the time, all its threads added up`,
      metric: 'wait_pct',
      source: '/proc/PID/task/TID/schedstat',
    }),
    ...held(switches_per_s, [50_000 * cpus, 150_000 * cpus], {
      id: 'context_switches',
      category: 'cpu',
      title: `${Math.round(switches_per_s ?? 0)} context switches per second`,
      metric: 'context_switches_per_s',
      source: '/proc/stat',
    }),
  ];
}

function throttling({ throttled }: TriageFacts): Finding[] {
  const [worst] = throttled ?? [];
  return held(worst?.throttled_pct, [5, 25], {
    id: 'cgroup_throttled',
    category: 'cpu',
    title: `cgroup ${worst?.path} is stopped by its CPU limit in ${worst?.throttled_pct} % of its periods`,
    metric: 'throttled_pct',
    source: 'perf_cgroup_summary',
  });
}

function memory({ refaults, memory_limited }: TriageFacts): Finding[] {
  const [limited] = memory_limited ?? [];
  const share = refaults?.share_pct == null ? '' : `, ${refaults.share_pct} % of what was read`;
  return [
    ...held(refaults?.per_s, [1000, 20_000], {
      id: 'memory_refaults',
      category: 'memory',
      title: `${Math.round(refaults?.per_s ?? 0)} pages per second came back soon after they had left memory${share}`,
      metric: 'refaults_per_s',
      source: '/proc/vmstat',
    }),
    // A group whose files fill its limit meets it all the time and may well be healthy.
    ...held(limited?.hits_per_s, [10, 10], {
      id: 'cgroup_memory_limit',
      category: 'memory',
      title: `cgroup ${limited?.path} meets its memory limit ${Math.round(limited?.hits_per_s ?? 0)} times per second`,
      metric: 'limit_hits_per_s',
      source: 'perf_cgroup_summary',
    }).map((finding) => ({ ...finding, severity: 'info' as const })),
  ];
}

function disks({ block, major_faults_per_s, iowait_pct }: TriageFacts): Finding[] {
  return [
    ...held(block && block.ios >= 10 ? block.p99_us : null, [20_000, 100_000], {
      id: 'block_latency',
      category: 'io',
      title: `one disk request in a hundred takes ${block?.p99_us} us or more`,
      metric: 'block_p99_us',
      source: 'perf_bio_latency',
    }),
    ...held(iowait_pct, [20, 50], {
      id: 'iowait',
      category: 'io',
      title: `CPUs idle ${iowait_pct} % of the time while tasks wait for disks`,
      metric: 'iowait_pct',
      source: '/proc/stat',
    }),
    ...held(major_faults_per_s, [200, 2000], {
      id: 'major_faults',
      category: 'memory',
      title: `${Math.round(major_faults_per_s ?? 0)} page faults per second had to read from disk`,
      metric: 'major_faults_per_s',
      source: '/proc/vmstat',
    }),
  ];
}

function storms({ forks_per_s, names }: TriageFacts): Finding[] {
  return [
    ...held(forks_per_s, [100, 1000], {
      id: 'fork_rate',
      category: 'cpu',
      title: `${Math.round(forks_per_s ?? 0)} processes and threads are started per second`,
      metric: 'forks_per_s',
      source: '/proc/stat',
    }),
    ...held(names?.avg_ms, [50, 500], {
      id: 'slow_names',
      category: 'network',
      title: `looking up ${names?.host} takes ${names?.avg_ms} ms`,
      metric: 'lookup_avg_ms',
      source: 'perf_dns_latency',
    }),
    ...held(names?.unanswered?.waited_ms, [1000, 5000], {
      id: 'unanswered_names',
      category: 'network',
      title: `${names?.unanswered?.comm} waits for the address of ${names?.unanswered?.host ?? 'a name'} for ${names?.unanswered?.waited_ms} ms already`,
      metric: 'lookup_waited_ms',
      source: 'perf_dns_latency',
    }),
  ];
}

const least_lock_waits = 20;

function focused({ blocked, fds }: TriageFacts): Finding[] {
  // Threads that wait for work wait on futexes, too: seldom, and for long.
  const lock = blocked?.find(
    ({ wait_type, waits }) => wait_type === 'lock' && (waits ?? 0) >= least_lock_waits,
  );
  return [
    ...held(lock?.percent, [30, 60], {
      id: 'lock_waits',
      category: 'cpu',
      title: `${lock?.percent} % of the blocked time is waiting for locks`,
      metric: 'lock_wait_pct',
      source: 'perf_offcpu_profile',
    }),
    ...(fds?.leak
      ? [
          {
            id: 'fd_growth',
            severity: 'warning',
            category: 'io',
            title: `open files grow by ${fds.growth_per_s} per second, ${fds.total} of ${fds.limit ?? 'unlimited'} now`,
            metric: 'fd_growth_per_s',
            value: fds.growth_per_s,
            threshold: 0,
            source: 'perf_fd_trace',
          } as const,
        ]
      : []),
  ];
}
