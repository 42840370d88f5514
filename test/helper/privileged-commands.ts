import { readFileSync } from 'node:fs';
import { bpftoolFeatureProbe, bpftoolShow, bpftoolStructOpsDump } from '../../allowlist/bpftool.ts';
import { type BpftraceRun, bpftraceScript } from '../../allowlist/bpftrace.ts';
import type { Command } from '../../allowlist/command.ts';
import { kernelMessages } from '../../allowlist/dmesg.ts';
import { kernelList } from '../../allowlist/kernel-lists.ts';
import { perfRecordEvents, perfScriptEvents } from '../../allowlist/perf-events.ts';
import { perfList } from '../../allowlist/perf-list.ts';
import { type PerfEvent, perfRecord } from '../../allowlist/perf-record.ts';
import { perfScript } from '../../allowlist/perf-script.ts';
import { perfStat } from '../../allowlist/perf-stat.ts';
import { perfTraceSummary } from '../../allowlist/perf-trace.ts';
import type { Ground } from '../../allowlist/requests.ts';
import { bpfStatsHelper } from '../../allowlist/self.ts';
import { traceTool } from '../../allowlist/trace-tool.ts';

const folder = '/tmp/tracewright-0-1-x';

/** A helper's own folder, in which nothing is really written; `texts` has the programs by path. */
export function groundForTest() {
  const texts = new Map<string, string>();
  const ground: Ground = {
    script: (name) => {
      const path = `${process.cwd()}/scripts/bpftrace/${name}.bt`;
      return { path, text: readFileSync(path, 'utf8') };
    },
    scratch: {
      write(name, text) {
        texts.set(`${folder}/${name}`, text);
        return `${folder}/${name}`;
      },
    },
    output: (name) => `${folder}/${name}`,
    node: '/usr/bin/node',
    bundle: '/usr/lib/node_modules/tracewright/dist/cli.js',
  };
  return { ground, texts };
}

const run = { parameters: [1000, 0], duration_ms: 5000 } as const;
const programs: readonly BpftraceRun['program'][] = [
  { kind: 'whole', name: 'runqlat' },
  { kind: 'libc', name: 'gethostlatency', libc: '/lib/x86_64-linux-gnu/libc.so.6' },
  { kind: 'dsq', probe: { symbol: 'dispatch_enqueue', by: 'name', kind: 'fentry' } },
  {
    kind: 'dsq',
    probe: {
      symbol: 'scx_dispatch_enqueue',
      by: 'register',
      kind: 'kprobe',
      registers: 6,
      positions: { p: 2, dsq: 1, enq_flags: 5, slice: 3, vtime: 4 },
    },
  },
  { kind: 'functions', mode: 'latency', probes: [{ name: 'tcp_sendmsg', kind: 'fentry' }] },
  {
    kind: 'stream',
    parts: [
      { fragment: 'sched-wake-raw', event: 'sched_waking' },
      { fragment: 'sched-switch-raw' },
      { fragment: 'woken' },
      { fragment: 'kprobe', function: 'tcp_sendmsg', registers: 6 },
      { fragment: 'perf-sample', raw: true },
      { fragment: 'exit' },
    ],
    shows_records: false,
    with_tracer: false,
  },
];

const events: readonly PerfEvent[] = [
  { kind: 'hw', name: 'cycles' },
  { kind: 'sw', name: 'cpu-clock' },
  { kind: 'tracepoint', subsystem: 'sched', name: 'sched_switch' },
];

/** A command of every maker, in every form that it has. */
export function everyCommand(ground: Ground): readonly Command[] {
  const recording = ground.output('profile.data');
  return [
    bpftoolShow('prog'),
    bpftoolStructOpsDump(),
    bpftoolFeatureProbe(),
    ...programs.map((program) => bpftraceScript({ ...run, program }, ground)),
    bpftraceScript(
      {
        ...run,
        program: { kind: 'whole', name: 'task-ext' },
        format: 'text',
        buffering: 'full',
        user_symbols: false,
        output_bytes: 2 ** 50,
        map_keys: 4096,
        quiet: true,
        string_bytes: 200,
        one_process: true,
        buffer_pages: 64,
        goes_before: true,
      },
      ground,
    ),
    kernelMessages(),
    kernelList('filter-functions'),
    kernelList('kprobe-blacklist'),
    perfList(['hw', 'sw', 'tracepoint']),
    ...events.map((event) =>
      perfRecord({
        event,
        user_only: false,
        rate: event.kind === 'tracepoint' ? { period: 1 } : { freq_hz: 99 },
        target: event.kind === 'hw' ? { scope: 'pid', pid: 7 } : { scope: 'all' },
        callgraph: 'fp',
        output: recording,
        max_bytes: 2 ** 20,
        duration_ms: 60_000,
        private_mounts: false,
      }),
    ),
    perfRecordEvents({
      events: ['sched:sched_switch'],
      stacks: true,
      duration_ms: 60_000,
      output: recording,
      max_bytes: 2 ** 20,
    }),
    perfScript(recording),
    perfScriptEvents(recording, true),
    perfStat.perCpu(500),
    perfTraceSummary({ pid: null, duration_ms: 1000, output: ground.output('perf-trace.txt') }),
    perfTraceSummary({ pid: 7, duration_ms: 1000, output: ground.output('perf-trace.txt') }),
    traceTool({
      family: 'bcc',
      tool: 'syscount',
      args: ['-P', ['-d', 5], 3],
      duration_ms: 5000,
      output_bytes: 2 ** 20,
    }),
    bpfStatsHelper(ground.node, ground.bundle, 1000),
  ];
}
