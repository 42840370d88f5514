// Questions that people ask, each with the calls that answer it and a check of the answer against
// what was provoked. `see` gets the answers' data in the order of the calls.

import { cpus } from 'node:os';

/** A fact that this host cannot have is right when its reason stands there. */
const orReason = (value, answer) =>
  (value !== null && value !== undefined) ||
  (answer.unavailable ?? []).some(({ reason }) => reason.length > 10);
const has = (answer, text) => JSON.stringify(answer).includes(text);

export const questions = [
  {
    asked: 'What machine is this?',
    on: 'nothing',
    calls: () => [['read', 'topology://info']],
    see: ([topology]) => topology.nr_cpus === cpus().length && topology.nr_llcs >= 0,
  },
  {
    asked: 'Which scheduler is running, and how is it configured?',
    on: 'nothing',
    calls: () => [['read', 'scheduler://current']],
    see: ([scheduler]) => scheduler.name.length > 2 && typeof scheduler.active === 'boolean',
  },
  {
    asked: 'Summarize the system for me.',
    on: 'hog',
    calls: () => [['prompt', 'summarize_system']],
    see: ([text]) => text.includes('CPUs online') && /Most CPU .*: \S+/.test(text),
  },
  {
    asked: 'What does the sched_ext scheduler report about itself?',
    on: 'nothing',
    calls: () => [['read', 'stats://scheduler/raw']],
    see: ([raw]) => orReason(raw.stats, raw),
  },
  {
    asked: 'How long do tasks sit in each dispatch queue?',
    on: 'nothing',
    calls: () => [['read', 'stats://aggregated/dsq']],
    see: ([dsq]) => orReason(dsq.dsqs, dsq),
  },
  {
    asked: 'What can be measured on this host?',
    on: 'nothing',
    calls: () => [['call', 'perf_info']],
    see: ([info]) => has(info, 'perf') && has(info, 'btf'),
  },
  {
    asked: 'What perf events does the scheduler have?',
    on: 'nothing',
    calls: () => [['call', 'list_events', { subsystem: 'sched' }]],
    see: ([{ data }]) => data.events.includes('sched:sched_switch'),
  },
  {
    asked: 'Can I probe tcp_sendmsg?',
    on: 'nothing',
    calls: () => [['read', 'events://kprobe?match=tcp_sendmsg']],
    see: ([found]) => found.functions.includes('tcp_sendmsg'),
  },
  {
    asked: 'Which BPF programs are loaded, and what do they cost?',
    on: 'nothing',
    calls: () => [['read', 'bpf://programs?stats_ms=500']],
    see: ([loaded]) => Number.isInteger(loaded.total_count),
  },
  {
    asked: 'Is the machine short of memory?',
    on: 'nothing',
    calls: () => [['read', 'stats://system/memory']],
    see: ([memory]) => memory.available_bytes > 0 && has(memory, 'pressure'),
  },
  {
    asked: 'Are packets lost or sent again?',
    on: 'nothing',
    calls: () => [['call', 'perf_net_health']],
    see: ([{ data }]) => has(data, 'retrans'),
  },
  {
    asked: 'The server is slow. Why?',
    on: 'hog',
    calls: () => [['call', 'perf_triage', { mode: 'quick' }]],
    see: ([{ data }]) => data.root_causes[0]?.id === 'cpu_hog' && has(data, 'plantedhog'),
  },
  {
    asked: 'Which process uses the most CPU?',
    on: 'hog',
    calls: () => [['read', 'stats://aggregated/process?limit=5&window_ms=1000']],
    see: ([{ processes }]) => processes[0].comm === 'plantedhog',
  },
  {
    asked: 'Which resource is the bottleneck?',
    on: 'hog',
    calls: () => [['call', 'perf_use_check']],
    see: ([{ data }]) => data.resources.cpu.utilization.status === 'critical',
  },
  {
    asked: 'How long do tasks wait for a CPU?',
    on: 'hog',
    calls: () => [['call', 'perf_runq_latency', { duration_seconds: 2 }]],
    see: ([answer]) => /p99|average|mean/.test(answer.summary.join(' ')),
  },
  {
    asked: 'How many context switches a second are there?',
    on: 'pingPong',
    calls: () => [['read', 'stats://system/cpu']],
    see: ([cpu]) => cpu.context_switches_per_s > 200,
  },
  {
    asked: 'Is the load even across CPUs?',
    on: 'crowdedCpu',
    calls: () => [['read', 'stats://aggregated/cpu']],
    see: ([{ outliers }], { cpu }) => outliers.hottest.some((each) => each.cpu_id === cpu),
  },
  {
    asked: 'Compare the NUMA nodes.',
    on: 'crowdedCpu',
    calls: () => [['read', 'stats://aggregated/node']],
    see: ([{ nodes }]) => nodes[0].util_pct > 0 && nodes[0].top_processes.length > 0,
  },
  {
    asked: 'Compare the last-level caches.',
    on: 'crowdedCpu',
    calls: () => [['read', 'stats://aggregated/llc']],
    see: ([{ llcs }]) => llcs[0].util_pct > 0,
  },
  {
    asked: 'Why is this process late?',
    on: 'crowdedCpu',
    calls: ({ pid }) => [['read', `stats://aggregated/process?pid=${pid}`]],
    see: ([{ processes }], { cpu }) =>
      processes[0].run_queue_wait_pct > 20 && processes[0].last_cpu === cpu,
  },
  {
    asked: 'Is this thread starved, blocked or busy?',
    on: 'crowdedCpu',
    calls: ({ pid }) => [['call', 'perf_thread_profile', { pid, duration_seconds: 2 }]],
    see: ([answer]) => /Waiting for a CPU/.test(answer.summary.join(' ')),
  },
  {
    asked: 'Which function of this program burns the CPU?',
    on: 'spinning',
    calls: ({ pid }) => [['call', 'perf_cpu_profile', { pid, duration_seconds: 2 }]],
    see: ([answer]) => /hotspin/.test(answer.summary.join(' ')),
  },
  {
    asked: 'Who calls that function?',
    on: 'spinning',
    calls: ({ pid }) => [
      ['call', 'perf_cpu_profile', { pid, duration_seconds: 2 }],
      ([{ data }]) => [
        'call',
        'profile_view',
        { capture: data.capture_id, view: 'callers', function: 'hotspin' },
      ],
    ],
    see: ([, callers]) => has(callers.data, 'outer'),
  },
  {
    asked: 'Draw a flame graph of the program.',
    on: 'spinning',
    calls: ({ pid }) => [['call', 'perf_cpu_profile', { pid, duration_seconds: 1 }]],
    see: ([answer]) => /\.svg/.test(JSON.stringify([answer.data, answer.links])),
  },
  {
    asked: 'Profile the whole system and show the hottest functions.',
    on: 'spinning',
    calls: () => [
      ['call', 'start_perf_profiling', { freq: 99, duration_secs: 2 }],
      ['wait', 3500],
      ['call', 'get_perf_results', { limit: 20 }],
    ],
    see: ([, results]) => has(results.data.symbols, 'hotspin'),
  },
  {
    asked: 'What does this program wait for?',
    on: 'locks',
    calls: ({ pid }) => [['call', 'perf_offcpu_profile', { pid, duration_seconds: 2 }]],
    see: ([{ data }]) => /lock|futex/.test(JSON.stringify(data)),
  },
  {
    asked: 'Why does this program hang?',
    on: 'deadlock',
    calls: ({ pid }) => [['call', 'perf_offcpu_profile', { pid, duration_seconds: 2 }]],
    see: ([answer]) => /lock|futex/.test(answer.summary.join(' ')),
  },
  {
    asked: 'Does this process leak file descriptors?',
    on: 'leak',
    calls: ({ pid }) => [['call', 'perf_fd_trace', { pid, duration_seconds: 5 }]],
    see: ([answer]) => /leak|grow/.test(answer.summary.join(' ')),
  },
  {
    asked: 'What starts so many processes?',
    on: 'storm',
    calls: () => [['call', 'perf_exec_trace', { duration_seconds: 2 }]],
    see: ([{ data }]) => has(data, '/bin/true') || has(data, '/usr/bin/true'),
  },
  {
    asked: 'Is my container held back by its CPU limit?',
    on: 'limited',
    calls: ({ pid }) => [['call', 'perf_cgroup_summary', { pid, duration_seconds: 2 }]],
    see: ([{ data }]) => data.cpu.window.throttled_pct > 50,
  },
  {
    asked: 'Is a disk slow or busy?',
    on: 'disk',
    calls: () => [['call', 'perf_io_latency', { duration_seconds: 2 }]],
    see: ([answer]) => /busy [1-9]/.test(answer.summary.join(' ')),
  },
  {
    asked: 'How are the times of disk requests spread?',
    on: 'disk',
    calls: () => [['call', 'perf_bio_latency', { duration_seconds: 2 }]],
    see: ([{ data }]) => has(data, 'histogram'),
  },
  {
    asked: 'Does the page cache help?',
    on: 'disk',
    calls: () => [['call', 'perf_io_layers', { duration_seconds: 2 }]],
    see: ([answer]) => /cache|disk/.test(answer.summary.join(' ')),
  },
  {
    asked: 'Which files are slow to write?',
    on: 'syncing',
    calls: () => [['call', 'perf_vfs_latency', { duration_seconds: 2, min_latency_ms: 0.05 }]],
    see: ([{ data }], { file }) => has(data, file),
  },
  {
    asked: 'Which system calls does this process make, and how long do they take?',
    on: 'pingPong',
    calls: ({ pid }) => [['call', 'perf_syscall_count', { pid, duration_seconds: 2 }]],
    see: ([{ data }]) => has(data, '"read') && has(data, '"write'),
  },
  {
    asked: 'Who wakes this process?',
    on: 'pingPong',
    calls: ({ pid }) => [['read', `stats://aggregated/process?pid=${pid}&trace_ms=1000`]],
    see: ([{ processes }]) => has(processes[0].wakers, 'pong'),
  },
  {
    asked: 'Which processes switch most, counted exactly?',
    on: 'pingPong',
    calls: () => [
      ['call', 'enable_collection', { duration_secs: 20 }],
      ['wait', 1500],
      ['call', 'get_top_processes', { limit: 20 }],
      ['call', 'disable_collection', {}],
    ],
    see: ([, top]) => has(top.data, '"pong"') || has(top.data, '"ping"'),
  },
  {
    asked: 'Which connections does this program open?',
    on: 'connecting',
    calls: ({ pid }) => [
      ['call', 'perf_tcp_trace', { mode: 'connections', pid, duration_seconds: 2 }],
    ],
    see: ([{ data }]) => has(data, '127.0.0.1'),
  },
  {
    asked: 'Clients cannot connect. What is wrong?',
    on: 'flooding',
    calls: () => [['call', 'perf_net_health', { duration_seconds: 2 }]],
    see: ([answer]) => /listen|accept|queue/i.test(answer.summary.join(' ')),
  },
  {
    asked: 'Are name lookups slow?',
    on: 'lookingUp',
    calls: ({ pid }) => [['call', 'perf_dns_latency', { pid, duration_seconds: 2 }]],
    see: ([{ data }]) => has(data, 'localhost'),
  },
  {
    asked: 'Which line of this Python code costs the most?',
    on: 'nothing',
    calls: () => [
      [
        'call',
        'profile_code',
        {
          code: 'def hot():\n    s = 0\n    for i in range(9000000):\n        s += i % 7\nhot()\n',
          cpu_only: true,
        },
      ],
    ],
    see: ([answer]) => has(answer, 's += i % 7') || has(answer, '"lineno":4'),
  },
  {
    asked: 'Watch the scheduler and tell me what this process waits for a CPU.',
    on: 'crowdedCpu',
    calls: ({ pid }) => [
      ['call', 'control_event_tracking', { action: 'start', pid, types: 'sched_switch' }],
      ['call', 'read_events', { wait_ms: 2000, limit: 20 }],
      ['call', 'control_event_tracking', { action: 'stop' }],
    ],
    see: ([, events]) => has(events.data, 'sched_switch'),
  },
];
