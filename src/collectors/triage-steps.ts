import type { TriageFacts } from '../analysis/triage-facts.ts';
import type { Call, Context } from '../context.ts';
import { collectBioLatency } from './bio-latency.ts';
import { collectCpuProfile } from './cpu-profile.ts';
import { collectDnsLatency } from './dns-latency.ts';
import { collectExecTrace } from './exec-trace.ts';
import { collectFdTrace } from './fd-trace.ts';
import { collectOffcpuProfile } from './offcpu-profile.ts';
import { collectRunqLatency } from './runq-latency.ts';
import { collectSyscallCount } from './syscall-count.ts';
import { collectVfsLatency } from './vfs-latency.ts';

/** What a step adds to the facts; empty where it could measure nothing. */
export type Step = Readonly<{
  tool: string;
  run(ctx: Context, call: Call): Promise<Partial<TriageFacts>>;
}>;

/** Whether a step brought no figure at all: what it asks had no way to measure here. */
export const measuredNothing = (facts: Partial<TriageFacts>): boolean =>
  Object.values(facts).every((value) => value === null);

export type Focus = 'auto' | 'cpu' | 'memory' | 'io' | 'network';

export type Plan = Readonly<{
  mode: 'quick' | 'standard' | 'deep';
  focus: Focus;
  pid: number | null;
  include_exec_trace: boolean;
  /** Of all CPUs: on busy ones tracers take longer to start, and get less time to watch. */
  busy_pct: number | null;
}>;

/**
 * The tracers of a mode, those that matter to the focus. They run side by side: each reads other
 * tracepoints, and together they cost a few percent of a CPU.
 */
export function stepsOf(plan: Plan): readonly Step[] {
  if (plan.mode === 'quick') return [];
  const seconds = plan.mode === 'deep' ? 10 : (plan.busy_pct ?? 0) > 80 ? 2 : 3;
  const forPid = plan.pid === null ? {} : { pid: plan.pid };
  return offers
    .filter(({ area, when }) => when(plan) && isWanted(area, plan.focus))
    .map(({ step }) => step(seconds, forPid));
}

type Offer = Readonly<{
  area: Focus | 'any';
  when(plan: Plan): boolean;
  step(duration_seconds: number, forPid: ForPid): Step;
}>;

const isWanted = (area: Offer['area'], focus: Focus): boolean =>
  area === 'any' || focus === 'auto' || area === focus;
const always = (): boolean => true;
const withPid = ({ pid }: Plan): boolean => pid !== null;
const deep = ({ mode }: Plan): boolean => mode === 'deep';

type ForPid = Readonly<{ pid?: number }>;

const runQueue = (duration_seconds: number, forPid: ForPid): Step => ({
  tool: 'perf_runq_latency',
  async run(ctx, call) {
    const query = {
      duration_seconds,
      ...forPid,
      per_process: false,
      per_pidns: false,
      milliseconds: false,
    };
    const { summary } = (await collectRunqLatency(ctx, query, call)).data;
    return {
      run_queue: summary && {
        p99_us: summary.total_wakeups > 100 ? summary.p99_us : null,
        waits: summary.total_wakeups,
      },
    };
  },
});

const block = (duration_seconds: number): Step => ({
  tool: 'perf_bio_latency',
  async run(ctx, call) {
    const query = {
      duration_seconds,
      per_device: false,
      queued: true,
      milliseconds: false,
      histogram_type: 'log2',
      linear_bucket_ms: 10,
    } as const;
    const { summary } = (await collectBioLatency(ctx, query, call)).data;
    return {
      block: summary && {
        ios: summary.total_ios,
        p99_us: summary.p99_us,
        avg_us: summary.avg_latency_us,
      },
    };
  },
});

const syscalls = (duration_seconds: number, forPid: ForPid): Step => ({
  tool: 'perf_syscall_count',
  async run(ctx, call) {
    const query = {
      duration_seconds,
      ...forPid,
      top_n: 5,
      include_latency: false,
      per_process: false,
      include_errors: false,
    };
    const { data } = await collectSyscallCount(ctx, query, call);
    const [top] = data.syscalls ?? [];
    const total = data.summary?.total_syscalls ?? 0;
    if (!top || total === 0) return {};
    return {
      syscalls: {
        name: top.name,
        rate_per_s: top.rate_per_sec,
        share_pct: Math.round((top.count / total) * 1000) / 10,
      },
    };
  },
});

const offcpu = (duration_seconds: number, forPid: ForPid): Step => ({
  tool: 'perf_offcpu_profile',
  async run(ctx, call) {
    const query = {
      duration_seconds,
      ...forPid,
      min_block_us: 1000,
      kernel_stacks: true,
      user_stacks: false,
    };
    const { data } = await collectOffcpuProfile(ctx, query, call);
    return { blocked: data.by_wait_type, blocked_processes: data.by_process };
  },
});

const profile = (duration_seconds: number, forPid: ForPid): Step => ({
  tool: 'perf_cpu_profile',
  async run(ctx, call) {
    const query = {
      duration_seconds,
      ...forPid,
      sample_rate_hz: 99,
      include_kernel: true,
      output_format: 'summary',
    } as const;
    const { data } = await collectCpuProfile(ctx, query, call);
    return { functions: data.top_functions };
  },
});

const files = (duration_seconds: number, forPid: ForPid): Step => ({
  tool: 'perf_vfs_latency',
  async run(ctx, call) {
    const query = { duration_seconds, ...forPid, min_latency_ms: 10, include_all_files: false };
    const { data } = await collectVfsLatency(ctx, query, call);
    return {
      slow_files:
        data.by_file?.slice(0, 5).map(({ filename, count }) => ({
          filename,
          count,
          process: data.operations?.find((each) => each.filename === filename)?.process ?? '',
        })) ?? null,
    };
  },
});

const names = (duration_seconds: number, forPid: ForPid): Step => ({
  tool: 'perf_dns_latency',
  async run(ctx, call) {
    const { data } = await collectDnsLatency(ctx, { duration_seconds, ...forPid }, call);
    const [slowest] = data.queries ?? [];
    return {
      names: data.summary && {
        count: data.summary.total_queries,
        avg_ms: data.summary.avg_latency_ms,
        host: slowest?.host ?? null,
        unanswered: data.unanswered?.[0] ?? null,
      },
    };
  },
});

const descriptors = (duration_seconds: number, { pid = 0 }: ForPid): Step => ({
  tool: 'perf_fd_trace',
  async run(ctx, call) {
    const query = {
      pid,
      duration_seconds,
      interval_sec: 1,
      include_fd_list: false,
      max_fds_listed: 10,
    };
    const { leak_detection: leak, current } = (await collectFdTrace(ctx, query, call)).data;
    return {
      fds: {
        growth_per_s: leak.fd_growth_rate,
        total: current.total_fds,
        limit: current.soft_limit,
        leak: leak.is_likely_leak === true,
      },
    };
  },
});

const execs = (duration_seconds: number): Step => ({
  tool: 'perf_exec_trace',
  async run(ctx, call) {
    const query = {
      duration_seconds,
      include_failed: false,
      max_args: 1,
      include_timestamps: false,
      include_fork_clone: true,
      include_exec: true,
      include_exit: false,
      mode: 'tree',
    } as const;
    const { summary } = (await collectExecTrace(ctx, query, call)).data;
    const first = (counts: Readonly<Record<string, number>> | null | undefined): string | null =>
      Object.keys(counts ?? {})[0] ?? null;
    return {
      execs: summary && {
        per_s: summary.exec_rate_per_sec,
        command: first(summary.by_command),
        parent: first(summary.by_parent),
      },
    };
  },
});

const offers: readonly Offer[] = [
  { area: 'cpu', when: always, step: runQueue },
  { area: 'io', when: always, step: block },
  { area: 'cpu', when: always, step: syscalls },
  { area: 'cpu', when: (plan) => withPid(plan) || deep(plan), step: offcpu },
  { area: 'io', when: withPid, step: descriptors },
  { area: 'cpu', when: deep, step: profile },
  { area: 'io', when: deep, step: files },
  { area: 'network', when: deep, step: names },
  { area: 'any', when: (plan) => deep(plan) || plan.include_exec_trace, step: execs },
];
