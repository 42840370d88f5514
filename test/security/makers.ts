import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import * as bpftool from '../../allowlist/bpftool.ts';
import { bpftraceScript } from '../../allowlist/bpftrace.ts';
import {
  type BpftraceProgram,
  type Workshop,
  wholePrograms,
} from '../../allowlist/bpftrace-program.ts';
import type { Command, Program } from '../../allowlist/command.ts';
import { kernelMessages } from '../../allowlist/dmesg.ts';
import { kernelList, kernelLists } from '../../allowlist/kernel-lists.ts';
import { openFile } from '../../allowlist/open-file.ts';
import {
  perfRecordEvents,
  perfScriptEvents,
  perfTraceEvents,
} from '../../allowlist/perf-events.ts';
import { perfList } from '../../allowlist/perf-list.ts';
import { hardwareEvents, perfRecord, softwareEvents } from '../../allowlist/perf-record.ts';
import { importedPerfScript, perfScript } from '../../allowlist/perf-script.ts';
import { perfStat } from '../../allowlist/perf-stat.ts';
import { perfTraceSummary } from '../../allowlist/perf-trace.ts';
import { bccTool, libbpfTool, programs, traceTools } from '../../allowlist/programs.ts';
import { pythonSamplers, samplePython } from '../../allowlist/python-samplers.ts';
import { pythonAt, scaleneRun, scaleneVersion } from '../../allowlist/scalene.ts';
import { bpfStatsHelper } from '../../allowlist/self.ts';
import { traceTool } from '../../allowlist/trace-tool.ts';
import { tracemallocRun } from '../../allowlist/tracemalloc.ts';
import { versionOf } from '../../allowlist/version.ts';
import { textLike as one, numberLike as whole } from './hostile-values.ts';

const file = one('/tmp/tracewright-0-1-x/a.data', '/home/a b/x.bt', '/opt/p+q/probe.py', '/a.txt');
const flag = fc.boolean();
const duration = whole(600_000);
const bytes = whole(1024 ** 3);
const word = one('sched', 'sched_switch', 'raw_syscalls', 'sys_enter', 'u', 'kp');
const sandbox = { user: { uid: 65_534, gid: 65_534 }, cwd: '/', memory_bytes: 1024 ** 3 } as const;
const words = fc.array(one('a', '-x', '--out=1', 'b.py', '---'), { maxLength: 4 });

const event = fc.oneof(
  fc.record({ kind: one('hw' as const), name: one(...hardwareEvents) }),
  fc.record({ kind: one('sw' as const), name: one(...softwareEvents) }),
  fc.record({ kind: one('tracepoint' as const), subsystem: word, name: word }),
);
const rate = fc.oneof(
  fc.record({ freq_hz: whole(12_000) }),
  fc.record({ period: whole(2_000_000) }),
);
const target = fc.oneof(
  fc.record({ scope: one('all' as const) }),
  fc.record({ scope: one('cpu' as const), cpu: whole(70_000) }),
  fc.record({ scope: one('pid' as const), pid: whole(5_000_000) }),
);

/** A Python at such a path, or Refused. */
const interpreter = (path: string, version: readonly [number, number, number]) => ({
  program: pythonAt(path),
  version,
});
/** The operator's choice, never a request's. */
const python = fc.constantFrom(
  ...['/usr/bin/python3', '/opt/a b/venv/bin/python', '/usr/bin/python3.13'],
);
const version = fc.constantFrom<readonly [number, number, number]>(
  [1, 5, 51],
  [2, 0, 0],
  [2, 3, 0],
);
const program = fc.oneof(
  fc.record({ script: one('/srv/app/main.py', '/home/a b/x.py', '/srv/x.txt') }),
  fc.record({ module: one('http.server', 'pkg'), program_path: file }),
);
const filter = one('', 'app', 'lib/x.py,main', 'a b', '-x', ',--html');
const known: readonly Program[] = [
  ...Object.values(programs),
  ...traceTools.flatMap((tool) => [libbpfTool(tool), bccTool(tool)]),
];

const function_name = one('tcp_sendmsg', 'vfs_read', 'do_*', '__x64_sys_read');
const probeKind = one('fentry' as const, 'kfunc' as const, 'kprobe' as const);
const bpftraceProgram: fc.Arbitrary<BpftraceProgram> = fc.oneof(
  fc.record({ kind: fc.constant('whole' as const), name: one(...wholePrograms) }),
  fc.record({
    kind: fc.constant('libc' as const),
    name: fc.constant('gethostlatency' as const),
    libc: one('/lib/x86_64-linux-gnu/libc.so.6', '/usr/lib/libc.so.6'),
  }),
  fc.record({
    kind: fc.constant('functions' as const),
    mode: one('count' as const, 'latency' as const, 'stacks' as const),
    probes: fc.array(fc.record({ name: function_name, kind: probeKind }), { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('stream' as const),
    parts: fc.array(
      fc.record({
        fragment: fc.constant('kprobe' as const),
        function: function_name,
        registers: fc.constantFrom(6 as const, 8 as const),
      }),
      { maxLength: 2 },
    ),
    shows_records: flag,
    with_tracer: flag,
  }),
);
/** Programs as they are shipped, and a folder of ours. */
const workshop: Workshop = {
  script: (name) => ({
    path: `/opt/tracewright/scripts/bpftrace/${name}.bt`,
    text: readFileSync(`scripts/bpftrace/${name}.bt`, 'utf8'),
  }),
  scratch: { write: (name) => `/tmp/tracewright-0-1-x/${name}` },
};

type Make = () => Command;
const made = <T>(values: fc.Arbitrary<T>, make: (value: T) => Command): fc.Arbitrary<Make> =>
  values.map((value) => () => make(value));
const fixed = (make: () => Command) => fc.constant<Make>(make);

/** Calls of each function of the allowlist that makes a command, by its name. */
export const makers: Readonly<Record<string, fc.Arbitrary<Make>>> = {
  bpftoolShow: made(
    one('prog' as const, 'link' as const, 'map' as const, 'struct_ops' as const, 'perf' as const),
    bpftool.bpftoolShow,
  ),
  bpftoolStructOpsDump: fixed(bpftool.bpftoolStructOpsDump),
  bpftoolFeatureProbe: fixed(bpftool.bpftoolFeatureProbe),
  bpftraceScript: made(
    fc.record(
      {
        program: bpftraceProgram,
        parameters: fc.array(whole(2 ** 33), { maxLength: 31 }),
        duration_ms: duration,
        format: one('json' as const, 'text' as const),
        buffering: one('line' as const, 'full' as const),
        user_symbols: flag,
        output_bytes: bytes,
        map_keys: whole(2_000_000),
        quiet: flag,
        string_bytes: whole(300),
        one_process: flag,
        buffer_pages: whole(20_000),
        goes_before: flag,
      },
      { requiredKeys: ['program', 'parameters', 'duration_ms'] },
    ),
    (run) => bpftraceScript(run, workshop),
  ),
  kernelMessages: fixed(kernelMessages),
  kernelList: made(one(...kernelLists), kernelList),
  openFile: made(file, openFile),
  perfRecordEvents: made(
    fc.record({
      events: fc.array(one(...perfTraceEvents), { minLength: 1, maxLength: 3 }),
      stacks: flag,
      duration_ms: duration,
      output: file,
      max_bytes: bytes,
    }),
    perfRecordEvents,
  ),
  perfScriptEvents: made(fc.tuple(file, flag), ([path, stacks]) => perfScriptEvents(path, stacks)),
  perfList: made(
    fc.array(one('hw' as const, 'sw' as const, 'tracepoint' as const), { maxLength: 3 }),
    perfList,
  ),
  perfRecord: made(
    fc.record({
      event,
      user_only: flag,
      rate,
      target,
      callgraph: one('fp' as const),
      output: file,
      max_bytes: bytes,
      duration_ms: duration,
      private_mounts: flag,
    }),
    perfRecord,
  ),
  perfScript: made(file, perfScript),
  importedPerfScript: made(file, (path) => importedPerfScript(path, null)),
  perCpu: made(duration, perfStat.perCpu),
  perfTraceSummary: made(
    fc.record({
      pid: fc.option(fc.integer({ min: 1, max: 5_000_000 })),
      duration_ms: duration,
      output: file,
    }),
    perfTraceSummary,
  ),
  samplePython: made(
    fc.record({
      folders: fc.array(python, { maxLength: 2 }),
      which: fc.nat(5),
      pid: whole(5_000_000),
      duration_s: whole(700),
      rate_hz: whole(1200),
      output: file,
    }),
    function sample({ folders, which, ...rest }) {
      const found = pythonSamplers(folders);
      const chosen = found[which % found.length];
      if (!chosen) throw new Error('there is always one');
      return samplePython({ ...chosen, ...rest });
    },
  ),
  scaleneRun: made(
    fc.record({
      python,
      version,
      target: program,
      args: words,
      outfile: file,
      memory: flag,
      gpu: flag,
      stacks: flag,
      cpu_sampling_rate: whole(12).map((each) => each / 7),
      allocation_window_bytes: fc.option(fc.integer({ min: 1, max: 2 ** 31 })),
      profile_only: filter,
      profile_exclude: filter,
      profile_all: flag,
      use_virtual_time: flag,
      duration_ms: duration,
    }),
    ({ python: path, version: of, ...run }) =>
      scaleneRun({ ...run, interpreter: interpreter(path, of), environment: {}, sandbox }),
  ),
  scaleneVersion: made(python, (path) => scaleneVersion(pythonAt(path), sandbox)),
  bpfStatsHelper: made(
    fc.tuple(fc.constantFrom('/usr/bin/node', '/opt/node 20/bin/node'), file, duration),
    ([node, bundle, ms]) => bpfStatsHelper(node, bundle, ms),
  ),
  traceTool: made(
    fc.record({
      family: one('libbpf' as const, 'bcc' as const),
      tool: one(...traceTools),
      args: fc.array(
        fc.oneof(
          one('-Q', '-m', '-D', '-P', '--pidnss', '-x', '-L', '-U', '-t', '-f', '-e', '--help'),
          whole(2 ** 32),
          fc.tuple(one('-p', '-d', '-T', '-u', '-m', '--max-args', '-c'), whole(2 ** 32)),
        ),
        { maxLength: 4 },
      ),
      duration_ms: duration,
      output_bytes: bytes,
    }),
    traceTool,
  ),
  tracemallocRun: made(
    fc.record({
      python,
      version,
      probe: file,
      outfile: file,
      target: program,
      args: words,
      duration_ms: duration,
    }),
    ({ python: path, version: of, ...run }) =>
      tracemallocRun({ ...run, interpreter: interpreter(path, of), environment: {}, sandbox }),
  ),
  versionOf: made(fc.constantFrom(...known), versionOf),
};
