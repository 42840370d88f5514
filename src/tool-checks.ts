import { programs } from '../allowlist/programs.ts';
import { bioRungs } from './collectors/bio-rungs.ts';
import type { Rung } from './collectors/bounded-trace.ts';
import { collectionObstacle } from './collectors/collection-tracer.ts';
import { cpuProfileRungs } from './collectors/cpu-profile-rungs.ts';
import { dnsRungs } from './collectors/dns-latency.ts';
import { execRungs } from './collectors/exec-rungs.ts';
import { functionObstacle } from './collectors/function-probes.ts';
import { ioLayersRungs } from './collectors/io-layers.ts';
import { kernelFunctions } from './collectors/kernel-functions.ts';
import { offcpuRungs } from './collectors/offcpu-rungs.ts';
import { runqRungs } from './collectors/runq-rungs.ts';
import { slowFilesRungs } from './collectors/slow-files.ts';
import { syscallRungs } from './collectors/syscall-rungs.ts';
import { tcpRungs } from './collectors/tcp-trace.ts';
import { bpfObstacle, type Obstacle } from './collectors/tracing-obstacles.ts';
import type { Call, Context } from './context.ts';
import type { Unavailable } from './reading.ts';

type State = 'available' | 'degraded' | 'unavailable';

/** Whether one tool or resource works here. */
export type Check = Readonly<{
  name: string;
  state: State;
  /** What measures it now, also where a better source is closed; null where nothing does. */
  source: string | null;
  /** What is missing and why; a fix is the exact command. */
  problems: readonly Unavailable[];
}>;

/** What a tool is asked for by default. */
const duration_ms = 5000;
const everything = { duration_ms, pid: null } as const;
const slow_files = { ...everything, least_ms: 10, all_files: false };
const nothing = (): void => {};

type Rungs = readonly Rung<unknown>[];

const runQueue = (ctx: Context): Rungs =>
  runqRungs(ctx, { ...everything, group: 'none', unit: 'us' });

const offCpu = (ctx: Context): Rungs =>
  offcpuRungs(ctx, { ...everything, min_block_us: 1000, user_stacks: true }, nothing);

/** How these tools measure, best first. */
const ladders: Readonly<Record<string, (ctx: Context) => Rungs>> = {
  perf_runq_latency: runQueue,
  perf_offcpu_profile: offCpu,
  perf_cpu_profile: (ctx) =>
    cpuProfileRungs(ctx, {
      duration_ms,
      rate_hz: 99,
      target: { scope: 'all' },
      include_kernel: true,
    }),
  perf_exec_trace: (ctx) => execRungs(ctx, { duration_ms, max_args: 10 }),
  perf_syscall_count: (ctx) =>
    syscallRungs(ctx, { ...everything, latency: true, tasks: false, failed_only: false }),
  perf_bio_latency: (ctx) =>
    bioRungs(ctx, {
      duration_ms,
      device: null,
      queued: false,
      per_device: false,
      unit: 'us',
      step: 0,
    }),
  perf_file_trace: (ctx) => slowFilesRungs(ctx, slow_files),
  perf_vfs_latency: (ctx) => slowFilesRungs(ctx, slow_files),
  perf_tcp_trace: (ctx) => tcpRungs(ctx, { duration_seconds: duration_ms / 1000 }),
  perf_dns_latency: (ctx) => dnsRungs(ctx, duration_ms, null),
};

/** These have figures of their own from /proc, and more of them where a tracer can be used. */
const traced_parts: Readonly<
  Record<string, Readonly<{ what: string; rungs(ctx: Context): Rungs }>>
> = {
  perf_io_layers: {
    what: 'vfs, ratios, analysis',
    rungs: (ctx) => ioLayersRungs(ctx, duration_ms, nothing),
  },
  perf_thread_profile: { what: 'include_offcpu', rungs: offCpu },
  perf_triage: { what: 'waits by histogram', rungs: runQueue },
};

/** What these need beside bpftrace. */
const obstacles: Readonly<
  Record<string, (ctx: Context, call: Call) => Promise<Obstacle | null> | Obstacle | null>
> = {
  record_trace: () => null,
  enable_collection: collectionObstacle,
  trace_kernel_functions: async (ctx, call) =>
    functionObstacle(ctx, await kernelFunctions(ctx, call)),
};

/** Whether a tool that traces can; undefined for those that need no tracer. Starts nothing that traces. */
export async function checkTracing(
  name: string,
  ctx: Context,
  call: Call,
): Promise<Check | undefined> {
  const ladder = ladders[name];
  if (ladder) return checkLadder(name, ladder(ctx));
  const part = traced_parts[name];
  if (part) return checkPart(name, part.what, part.rungs(ctx));
  const search = obstacles[name];
  if (!search) return undefined;
  const obstacle = bpfObstacle(ctx, programs.bpftrace, {}) ?? (await search(ctx, call));
  return obstacle
    ? closed({ what: name, ...obstacle })
    : { name, state: 'available', source: 'bpftrace', problems: [] };
}

/** Of the ways that are closed, the best tells why: the others are there to take its place. */
function checkLadder(name: string, rungs: Rungs): Check {
  const usable = rungs.find((each) => each.obstacle() === null);
  const source = usable?.method ?? null;
  const [best] = rungs;
  const obstacle = best?.obstacle() ?? null;
  if (!best || obstacle === null) return { name, state: 'available', source, problems: [] };
  if (source === null) return closed({ what: name, ...obstacle });
  return { name, state: 'degraded', source, problems: [{ what: best.method, ...obstacle }] };
}

function checkPart(name: string, what: string, rungs: Rungs): Check {
  const { state, source, problems } = checkLadder(name, rungs);
  const [problem] = problems;
  if (state === 'available' || !problem) return { name, state, source, problems };
  return { name, state: 'degraded', source: source ?? '/proc', problems: [{ ...problem, what }] };
}

const closed = (problem: Unavailable): Check => ({
  name: problem.what,
  state: 'unavailable',
  source: null,
  problems: [problem],
});
