import {
  gib,
  heaviestIo,
  hogs,
  isUntouched,
  largest,
  list,
  locked,
  mb,
  name,
  rereads,
  signalValue,
  tooSmall,
} from './triage-culprits.ts';
import type { Area, TriageFacts } from './triage-facts.ts';

/** What would explain findings; each rule is judged alone, then all are ranked. */
export type Rule = Readonly<{
  id: string;
  category: Area;
  /** Findings that speak for it: without `needs` it is not considered. */
  needs: readonly string[];
  supports: readonly string[];
  /** Whether the facts allow it at all. */
  applies?(facts: TriageFacts): boolean;
  /** Added to the confidence; names of who is to blame are worth much. */
  weight(facts: TriageFacts): number;
  title(facts: TriageFacts): string;
  description(facts: TriageFacts): string;
  against?(facts: TriageFacts): readonly string[];
  actions(facts: TriageFacts): readonly string[];
}>;

/** Judged alone, then ranked. */
export const rules: readonly Rule[] = [
  {
    id: 'cpu_hog',
    category: 'cpu',
    needs: ['cpu_busy_pct', 'cpu_run_queue', 'cpu_stalled_some_pct', 'run_queue_latency'],
    supports: ['process_waits_for_cpu'],
    applies: (facts) => hogs(facts).length > 0 && (facts.busy_pct ?? 0) > 60,
    weight: (facts) =>
      hogs(facts).reduce((sum, each) => sum + each.cpu_pct, 0) > 50 * facts.cpus ? 20 : 5,
    title: (facts) => `CPUs are used up by ${list(hogs(facts))}`,
    description(facts) {
      const [top] = hogs(facts);
      const [hot] = facts.functions ?? [];
      return (
        `${facts.cpus} CPUs are ${facts.busy_pct} % busy; ${top ? `${name(top)} alone uses ${top.cpu_pct} % of one CPU` : ''}` +
        `${hot ? `; hottest function ${hot.symbol} of ${hot.module} (${hot.percent} %)` : ''}.`
      );
    },
    against: (facts) => [
      ...((facts.forks_per_s ?? 0) > 300 ? ['most CPU time goes into starting processes'] : []),
      ...(isUntouched(facts)
        ? ['the process in question hardly uses a CPU, nor mostly waits for one']
        : []),
    ],
    actions: (facts) => [
      `perf_cpu_profile pid=${hogs(facts)[0]?.pid} tells which functions use the time.`,
      `perf_thread_profile pid=${hogs(facts)[0]?.pid} tells which threads.`,
      'Lower its priority (nice), limit it (cgroup cpu.max), or give it fewer threads.',
    ],
  },
  {
    id: 'process_storm',
    category: 'cpu',
    needs: ['fork_rate'],
    supports: ['cpu_busy_pct', 'cpu_run_queue', 'cpu_stalled_some_pct'],
    weight: ({ forks_per_s, execs }) =>
      ((forks_per_s ?? 0) > 300 ? 20 : 5) + (execs?.command ? 10 : 0),
    title: ({ forks_per_s, execs }) =>
      `${Math.round(forks_per_s ?? 0)} processes per second are started${execs?.command ? `, most of them ${execs.command}` : ''}`,
    description: ({ execs }) =>
      execs?.parent
        ? `Started by ${execs.parent}; short-lived processes cost more to start than they work.`
        : 'Short-lived processes cost more to start than they work, and top does not show them.',
    actions: () => [
      'perf_exec_trace mode=both tells who starts what.',
      'Look for a script in a loop, a failing service that restarts, or a health check that forks.',
    ],
  },
  {
    id: 'cgroup_cpu_limit',
    category: 'cpu',
    needs: ['cgroup_throttled'],
    supports: ['process_waits_for_cpu', 'cpu_stalled_some_pct'],
    weight: ({ throttled }) => ((throttled?.[0]?.throttled_pct ?? 0) > 25 ? 35 : 15),
    title: ({ throttled }) => `The CPU limit of cgroup ${throttled?.[0]?.path} stops its processes`,
    description: ({ throttled }) =>
      `It was stopped in ${throttled?.[0]?.throttled_pct} % of its periods, whether or not CPUs were free.`,
    actions: ({ throttled }) => [
      `perf_cgroup_summary cgroup_path=${throttled?.[0]?.path} shows limit and use.`,
      'Raise cpu.max (v2) or cpu.cfs_quota_us (v1), or lower the number of its threads.',
    ],
  },
  {
    id: 'hypervisor_steal',
    category: 'cpu',
    needs: ['cpu_steal_pct'],
    supports: ['process_waits_for_cpu'],
    weight: () => 15,
    title: (facts) => `The hypervisor takes ${signalValue(facts, 'steal_pct')} % of the CPU time`,
    description: () =>
      'Other virtual machines on the same hardware use the CPUs that this one should have.',
    actions: () => ['Move the machine, or ask for dedicated CPUs.'],
  },
  {
    id: 'memory_pressure',
    category: 'memory',
    needs: [
      ...['memory_used_pct', 'memory_stalled_some_pct', 'memory_stalled_full_pct'],
      ...['memory_swap_used_pct', 'memory_oom_kills'],
    ],
    supports: [
      ...['memory_refaults', 'cgroup_memory_limit', 'major_faults', 'disk_busy_pct', 'iowait'],
    ],
    weight: (facts) =>
      (largest(facts)[0]?.rss_bytes ?? 0) > 0.2 * (facts.memory_total_bytes ?? Infinity) ? 20 : 5,
    title(facts) {
      const limited = tooSmall(facts);
      return limited
        ? `Memory limit of cgroup ${limited.path} is too small for what runs in it`
        : `Memory is short; largest: ${list(largest(facts))}`;
    },
    description(facts) {
      const [top] = largest(facts);
      const limited = tooSmall(facts);
      if (limited) {
        return `It meets its limit ${Math.round(limited.hits_per_s)} times per second, while tasks wait for memory and ${signalValue(facts, 'used_pct')} % of that of the host is used.`;
      }
      return top
        ? `${signalValue(facts, 'used_pct')} % of memory is used; ${name(top)} holds ${gib(top.rss_bytes)} GiB.`
        : `${signalValue(facts, 'used_pct')} % of memory is used.`;
    },
    actions: () => [
      'read_resource stats://aggregated/process?sort=rss tells who holds how much.',
      'perf_cgroup_summary tells which group, and whether its limit is the reason.',
      'Give it less to cache, restart what leaks, or add memory.',
    ],
  },
  {
    id: 'cache_thrashing',
    category: 'memory',
    needs: ['major_faults', 'memory_refaults'],
    supports: ['memory_stalled_some_pct', 'memory_used_pct', 'iowait', 'disk_busy_pct'],
    applies: ({ major_faults_per_s, refaults }) =>
      (major_faults_per_s ?? 0) > 500 || rereads({ refaults }),
    weight: () => 5,
    title: ({ major_faults_per_s, refaults }) =>
      rereads({ refaults })
        ? `${Math.round(refaults?.per_s ?? 0)} pages per second are read again soon after they left memory`
        : `${Math.round(major_faults_per_s ?? 0)} page faults per second read from disk`,
    description: () =>
      'Programs touch more file pages than the cache holds, so each touch reads again.',
    actions: () => [
      'perf_io_layers shows how little the cache helps.',
      'Give it more memory, or read less.',
    ],
  },
  {
    id: 'disk_saturation',
    category: 'io',
    needs: [
      ...['disk_busy_pct', 'disk_avg_queue', 'disk_queue', 'disk_wait_ms', 'block_latency'],
      ...['disk_stalled_some_pct', 'disk_stalled_full_pct', 'iowait'],
    ],
    supports: [],
    weight: (facts) => (heaviestIo(facts).length > 0 ? 20 : 0) + (facts.slow_files?.length ? 8 : 0),
    title: (facts) => {
      const io = heaviestIo(facts);
      return io.length > 0 ? `Disks are kept busy by ${list(io)}` : 'Disks are slow or overloaded';
    },
    description(facts) {
      const [top] = heaviestIo(facts);
      const [file] = facts.slow_files ?? [];
      const parts = [
        ...(top ? [`${name(top)} moves ${mb(top.io_bytes_per_s)} MB/s`] : []),
        ...(facts.block?.avg_us ? [`requests take ${facts.block.avg_us} us on average`] : []),
        ...(file ? [`slow file ${file.filename} (${file.process})`] : []),
      ];
      return parts.length > 0 ? `${parts.join('; ')}.` : 'Tasks wait for disks.';
    },
    against: (facts) =>
      (facts.major_faults_per_s ?? 0) > 2000 || rereads(facts)
        ? ['most of what is read had just been in memory: memory is short']
        : [],
    actions: () => [
      'perf_io_latency tells which device, perf_bio_latency how its latency spreads.',
      'perf_file_trace mode=slow_ops names the files.',
      'Spread the load, or limit it (cgroup io.max).',
    ],
  },
  {
    id: 'network_loss',
    category: 'network',
    needs: [
      ...['network_retransmit_pct', 'network_drops_per_s', 'network_link_errors_per_s'],
      ...['network_listen_drops_per_s', 'network_udp_drops_per_s'],
    ],
    supports: [],
    weight: () => 15,
    title: (facts) =>
      (signalValue(facts, 'retransmit_pct') ?? 0) > 1
        ? `${signalValue(facts, 'retransmit_pct')} % of TCP segments are sent again`
        : 'Packets are lost on this host',
    description: () =>
      'Packets are lost on the way or thrown away here; TCP waits and sends again.',
    actions: () => [
      'perf_net_health tells which interface and which kind of loss.',
      'perf_tcp_trace tells which connections.',
    ],
  },
  {
    id: 'slow_name_lookups',
    category: 'network',
    needs: ['slow_names', 'unanswered_names'],
    supports: [],
    weight: () => 20,
    title: ({ names }) =>
      names?.unanswered && names.unanswered.waited_ms > (names.avg_ms ?? 0)
        ? `Nobody answers ${names.unanswered.comm}, which looks up ${names.unanswered.host ?? 'a name'}`
        : `Looking up names is slow: ${names?.host} takes ${names?.avg_ms} ms`,
    description: () => 'Programs wait for a name server before they connect.',
    actions: () => ['perf_dns_latency tells which names and programs.', 'Check /etc/resolv.conf.'],
  },
  {
    id: 'lock_contention',
    category: 'cpu',
    needs: ['lock_waits'],
    supports: ['context_switches'],
    // On CPUs without room, who holds a lock may only wait for its turn.
    applies: (facts) => (facts.busy_pct ?? 0) < 90 || isUntouched(facts),
    weight: ({ focus_pid }) => (focus_pid === null ? 5 : 40),
    title(facts) {
      const who = locked(facts);
      return who ? `${who.comm} (${who.pid}) waits for locks` : 'Threads wait for locks';
    },
    description({ blocked }) {
      const lock = blocked?.find((each) => each.wait_type === 'lock');
      return `Of the blocked time ${lock?.percent} % is waiting for locks: ${Math.round(lock?.blocked_ms ?? 0)} ms of all threads in the window.`;
    },
    actions(facts) {
      const who = locked(facts);
      return [`perf_offcpu_profile${who ? ` pid=${who.pid}` : ''} shows the stacks.`];
    },
  },
  {
    id: 'fd_leak',
    category: 'io',
    needs: ['fd_growth'],
    supports: [],
    // It is measured of the process in question alone.
    weight: () => 40,
    title: ({ fds }) => `Open files grow by ${fds?.growth_per_s} per second`,
    description: ({ fds }) => `${fds?.total} are open, ${fds?.limit ?? 'no'} is the limit.`,
    actions: ({ focus_pid }) => [`perf_fd_trace pid=${focus_pid} tells which kind grows.`],
  },
  {
    id: 'hardware_fault',
    category: 'io',
    needs: ['cpu_hardware_events', 'memory_corrupted_bytes', 'disk_filesystem_errors'],
    supports: [],
    weight: () => 10,
    title: () => 'The kernel reports faults of hardware or file systems',
    description: () => 'Read the kernel log.',
    actions: () => ['dmesg --level=err,crit'],
  },
];
