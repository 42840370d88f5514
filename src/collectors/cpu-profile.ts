import type { Call, Context } from '../context.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { boundedTrace, profilerBusy, type SkippedMethod, traceParts } from './bounded-trace.ts';
import { cpuCapture } from './cpu-capture.ts';
import { cpu_root, readCpuList } from './cpu-files.ts';
import {
  type CpuProfileFigures,
  cpuProfileFigures,
  type TopFunction,
} from './cpu-profile-figures.ts';
import { cpuProfileRungs, type SampledCpu } from './cpu-profile-rungs.ts';
import { type Keeping, type Kept, tryToKeep } from './profile-captures.ts';
import { secondsLeft } from './profile-status.ts';
import { checkRate, targetText } from './profile-target.ts';
import { currentSession, profile_kind } from './profiler.ts';
import {
  type Attached,
  type AttachedPython,
  attachPython,
  isPython,
  trampolineStacks,
} from './python-attach.ts';
import { round } from './rates.ts';
import { tracedProcess } from './traced-process.ts';

type Query = Readonly<{
  duration_seconds: number;
  sample_rate_hz: number;
  pid?: number | undefined;
  include_kernel: boolean;
  output_format: 'summary' | 'collapsed';
  /** The profile is kept, for its views to be asked for. */
  keep?: boolean;
  /** Its flame graph goes into the answer. */
  picture?: boolean;
}>;

export type CpuProfile = Readonly<{
  method: string | null;
  skipped_methods: readonly SkippedMethod[];
  duration_seconds: number;
  sample_rate: number;
  pid?: number;
  /** Samples that busy CPUs gave, of those that all CPUs can give. */
  cpu_busy_percent: number | null;
  /** Lines of the program itself where the process (`pid`) is a Python. */
  python?: AttachedPython | null;
}> &
  Partial<Kept> &
  CpuProfileFigures;

/**
 * Which functions and processes used the CPUs within the window.
 *
 * @throws TracewrightError PID_NOT_FOUND, PROFILER_BUSY, INVALID_PARAMS for a rate the kernel forbids
 */
export async function collectCpuProfile(
  ctx: Context,
  query: Query,
  call: Call,
): Promise<Reading<CpuProfile>> {
  const session = currentSession(ctx);
  if (session?.duration_ms === null) throw profilerBusy(profile_kind, secondsLeft(ctx, session));
  checkRate(ctx, { freq: query.sample_rate_hz });
  const process = query.pid === undefined ? null : tracedProcess(ctx, query.pid);
  const target = process === null ? all : { scope: 'pid' as const, ...process };
  const duration_ms = query.duration_seconds * 1000;
  const rungs = cpuProfileRungs(ctx, {
    duration_ms,
    rate_hz: query.sample_rate_hz,
    target,
    include_kernel: query.include_kernel,
  });
  const [result, taken] = await Promise.all([
    boundedTrace(ctx, { kind: profile_kind, duration_ms, rungs }, call),
    process !== null && isPython(ctx, process.pid)
      ? attachPython(ctx, { pid: process.pid, duration_ms, rate_hz: query.sample_rate_hz }, call)
      : null,
  ]);
  const { method, unavailable, ...parts } = traceParts(result, 'CPU profile');
  const sampled = result.traced?.value ?? null;
  const figures = sampled === null ? nothing : cpuProfileFigures(sampled, query.output_format);
  const window_ms = parts.window_ms ?? duration_ms;
  const attached = pythonOf(taken, sampled);
  const keeping = await keep(ctx, sampled, query, targetText(target), window_ms, parts);
  const data: CpuProfile = {
    method,
    skipped_methods: result.skipped,
    duration_seconds: query.duration_seconds,
    sample_rate: query.sample_rate_hz,
    ...(process === null ? {} : { pid: process.pid }),
    cpu_busy_percent: busyPercent(ctx, {
      samples: figures.total_samples,
      rate_hz: query.sample_rate_hz,
      window_ms,
      user_only: sampled?.user_only ?? false,
    }),
    ...figures,
    ...pythonPart(attached),
    ...keeping?.kept,
  };
  return {
    data,
    ...parts,
    warnings: [...parts.warnings, ...(keeping?.warnings ?? [])],
    links: keeping?.links ?? [],
    picture: keeping?.picture,
    summary: inWords(data, targetText(target), window_ms),
    unavailable: [
      ...unavailable,
      ...gaps(data, sampled, query.include_kernel),
      ...(attached !== null && 'obstacle' in attached ? [attached.obstacle] : []),
    ],
  };
}

const pythonPart = (attached: Attached | null): Pick<CpuProfile, 'python'> =>
  attached === null ? {} : { python: 'python' in attached ? attached.python : null };

/** What perf knows of Python's functions where py-spy does not tell of its lines. */
function pythonOf(attached: Attached | null, sampled: SampledCpu | null): Attached | null {
  if (attached === null || 'python' in attached || sampled?.profile == null) return attached;
  const python = trampolineStacks(sampled.profile);
  return python === null ? attached : { python };
}

async function keep(
  ctx: Context,
  sampled: SampledCpu | null,
  { sample_rate_hz, keep: isWanted, picture }: Query,
  target: string,
  duration_ms: number,
  { lost_events = 0, warnings }: Readonly<{ lost_events?: number; warnings: readonly string[] }>,
): Promise<Keeping | null> {
  if (!sampled?.profile || !isWanted) return null;
  const times = sampled.times ?? null;
  const facts = { event: 'cpu-clock', rate_hz: sample_rate_hz, duration_ms, times };
  const capture = cpuCapture(sampled.profile, { ...facts, lost: lost_events, warnings });
  return await tryToKeep(ctx, capture, `CPU profile of ${target}`, picture);
}

const all = { scope: 'all' as const };

const nothing: CpuProfileFigures = {
  total_samples: null,
  idle_samples: null,
  top_functions: null,
  kernel_percent: null,
  user_percent: null,
  by_process: [],
  notes: [],
};

type Taken = Readonly<{
  samples: number | null;
  rate_hz: number;
  window_ms: number;
  user_only: boolean;
}>;

/** Null also where the samples are those of programs alone: CPUs are busy in the kernel, too. */
export function busyPercent(
  { files }: Context,
  { samples, rate_hz, window_ms, user_only }: Taken,
): number | null {
  const cpus = readCpuList(files, `${cpu_root}/online`)?.length;
  if (samples === null || user_only || cpus === undefined || window_ms === 0) return null;
  return round((samples * 100_000) / (rate_hz * cpus * window_ms));
}

function gaps(
  data: CpuProfile,
  sampled: SampledCpu | null,
  asked: boolean,
): readonly Unavailable[] {
  if (data.top_functions === null) {
    const fix = data.skipped_methods.find((each) => each.fix !== null)?.fix ?? null;
    const reason = data.skipped_methods.map(({ reason: why }) => why).join(' ');
    return data.method === null
      ? []
      : [{ what: 'top_functions, kernel_percent, user_percent, total_samples', reason, fix }];
  }
  return [
    ...(sampled?.kernel_names_only ? [noProgramNames(data)] : []),
    ...(sampled?.user_only ? [noKernel(asked)] : []),
  ];
}

const noProgramNames = ({ skipped_methods }: CpuProfile): Unavailable => ({
  what: 'functions of programs',
  reason: 'bpftrace names those of one process (pid) only; perf those of all.',
  fix: skipped_methods.find((each) => each.fix !== null)?.fix ?? null,
});

const noKernel = (asked: boolean): Unavailable => ({
  what: 'kernel_percent, user_percent, cpu_busy_percent',
  reason: asked
    ? 'kernel.perf_event_paranoid leaves the kernel out for this user.'
    : 'include_kernel=false leaves the kernel out.',
  fix: asked ? 'sudo sysctl kernel.perf_event_paranoid=1' : null,
});

/** Without a symbol the module tells more than nothing. */
function nameOf({ symbol, module }: TopFunction): string {
  if (symbol !== '[unknown]') return symbol;
  return `${symbol} in ${module.slice(module.lastIndexOf('/') + 1)}`;
}

function inWords(data: CpuProfile, target: string, window_ms: number): string[] {
  const { method, total_samples, top_functions, by_process, kernel_percent, user_percent } = data;
  if (method === null) return ['The CPUs could not be profiled: see unavailable.'];
  const processes = by_process
    .slice(0, 4)
    .map(({ comm, pid, percent, cpu_ms }) =>
      cpu_ms === null ? `${comm} (${pid}) ${percent} %` : `${comm} (${pid}) ${cpu_ms} ms`,
    );
  const busiest = processes.length === 0 ? [] : [`By process: ${processes.join(', ')}.`];
  if (top_functions === null)
    return [`CPU time of ${target} in ${window_ms} ms (${method}).`, ...busiest];
  const hottest = top_functions.slice(0, 5).map((each) => `${nameOf(each)} ${each.percent} %`);
  const modes =
    kernel_percent === null ? '' : `; kernel ${kernel_percent} %, programs ${user_percent} %`;
  return [
    `${total_samples} samples of busy CPUs at ${data.sample_rate} Hz in ${window_ms} ms (${target}, ${method}), ` +
      `CPUs ${data.cpu_busy_percent ?? 'an unknown'} % busy with it${modes}.`,
    ...(hottest.length > 0 ? [`Hottest: ${hottest.join(', ')}.`] : ['Nothing of it ran.']),
    ...pythonInWords(data.python ?? null),
    ...busiest,
  ];
}

function pythonInWords(python: AttachedPython | null): string[] {
  const lines = (python?.lines ?? [])
    .slice(0, 3)
    .map(
      ({ function_name, file, line, self_percent }) =>
        `${function_name} (${file}${line === null ? '' : `:${line}`}) ${self_percent} %`,
    );
  return lines.length === 0 ? [] : [`Python itself (${python?.method}): ${lines.join(', ')}.`];
}
