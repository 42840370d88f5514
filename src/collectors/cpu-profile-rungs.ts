import { perfRecord } from '../../allowlist/perf-record.ts';
import { programs } from '../../allowlist/programs.ts';
import { type OncpuOutput, parseOncpu } from '../../parsers/oncpu/oncpu.ts';
import { type Profile, profileBuilder } from '../analysis/profile.ts';
import type { Call, Context } from '../context.ts';
import type { SampleTimes } from '../profiles/stack-profile.ts';
import type { Measured, Rung } from './bounded-trace.ts';
import { bpftraceRung, shownFrames } from './bpftrace-rung.ts';
import { startRecorder } from './perf-recorder.ts';
import { mayMeasureAll, perfRefusal } from './perf-refusals.ts';
import { scanProcesses } from './process-scan.ts';
import { compareScans } from './process-use.ts';
import { cpu_clock } from './profile-event.ts';
import type { ProfileTarget } from './profile-target.ts';
import { recordFor } from './record-for.ts';
import { readRecording } from './recorded-profile.ts';
import { programObstacle, readOnlyObstacle } from './tracing-obstacles.ts';

export type CpuProfileQuery = Readonly<{
  duration_ms: number;
  rate_hz: number;
  target: Extract<ProfileTarget, { scope: 'all' | 'pid' }>;
  include_kernel: boolean;
}>;

export type SampledCpu = Readonly<{
  /** Null where only the CPU time of processes is known. */
  profile: Profile | null;
  /** When they were taken, by share of the profile. */
  times?: SampleTimes | null;
  /** Samples of idle CPUs that are not in `profile`. */
  idle_aside: number;
  /** Functions of programs are not named. */
  kernel_names_only: boolean;
  /** The kernel is left out of the samples. */
  user_only: boolean;
  /** By the kernel's own accounts, where there are no samples. */
  cpu_time: readonly Readonly<{ pid: number; comm: string; cpu_ms: number }>[] | null;
}>;

const recording = 'cpu-profile.data';
const max_bytes = 256 * 1024 * 1024;

/** How CPU time can be told by function, best first; the last one knows processes only. */
export function cpuProfileRungs(ctx: Context, query: CpuProfileQuery): readonly Rung<SampledCpu>[] {
  return [perfRung(ctx, query), bpftraceOncpu(ctx, query), procfsRung(ctx, query)];
}

function perfRung(ctx: Context, query: CpuProfileQuery): Rung<SampledCpu> {
  return {
    method: 'perf',
    obstacle: () => readOnlyObstacle(ctx) ?? programObstacle(ctx, programs.perf),
    measure: (call) => measurePerf(ctx, query, call),
  };
}

async function measurePerf(
  ctx: Context,
  query: CpuProfileQuery,
  call: Call,
): Promise<Measured<SampledCpu>> {
  const { duration_ms, rate_hz, target, include_kernel } = query;
  const paranoid = ctx.files.number('/proc/sys/kernel/perf_event_paranoid') ?? 2;
  const restricted = target.scope === 'pid' && paranoid >= 2 && !mayMeasureAll(ctx);
  const command = perfRecord({
    event: cpu_clock,
    user_only: !include_kernel || restricted,
    rate: { freq_hz: rate_hz },
    target,
    callgraph: 'fp',
    output: ctx.scratch.path(recording),
    max_bytes,
    duration_ms,
    private_mounts: false,
  });
  try {
    const started = await startRecorder(ctx, command, recording, call);
    if ('refused' in started) {
      const { stderr } = started.refused;
      throw perfRefusal(ctx, { stderr, event: 'sw:cpu-clock', isTracepoint: false, target });
    }
    const window_ms = await recordFor(ctx, started.recorder, duration_ms, call);
    const { lost, throttled } = await started.recorder.counts();
    call.progress('reading the recording');
    const recorded = await readRecording(ctx, ctx.scratch.path(recording), 0);
    return {
      value: {
        profile: recorded.profile,
        times: recorded.times,
        idle_aside: 0,
        kernel_names_only: false,
        user_only: started.recorder.opened?.exclude_kernel ?? restricted,
        cpu_time: null,
      },
      source: 'perf record, perf script',
      window_ms,
      lost_events: lost,
      warnings: [
        ...recorded.warnings,
        ...(lost > 0 ? [`The kernel dropped ${lost} records: shares are of what is left.`] : []),
        ...(throttled > 0
          ? [`The kernel paused the clock ${throttled} times: take a lower rate.`]
          : []),
      ],
    };
  } finally {
    ctx.scratch.remove(recording);
  }
}

function bpftraceOncpu(ctx: Context, query: CpuProfileQuery): Rung<SampledCpu> {
  const { duration_ms, rate_hz, target, include_kernel } = query;
  const one_process = target.scope === 'pid';
  return bpftraceRung(ctx, {
    script: 'oncpu',
    duration_ms,
    // Naming the frames of many programs takes bpftrace 0.17 minutes.
    parameters: one_process ? [rate_hz, target.pid, 1] : [rate_hz, 0, 0],
    needs: { pid: one_process },
    one_process,
    parse(text) {
      const output = parseOncpu(shownFrames(ctx, text));
      return {
        health: output.health,
        profile: profileOf(output, include_kernel),
        idle_aside: output.idle,
        kernel_names_only: !output.user_stacks,
        user_only: !include_kernel,
        cpu_time: null,
      };
    },
  });
}

function profileOf({ samples, names }: OncpuOutput, include_kernel: boolean): Profile {
  const builder = profileBuilder();
  const kernelFrame = (symbol: string): number =>
    builder.symbol({ symbol, module: '[kernel.kallsyms]', is_kernel: true, address: '0x0' });
  const userFrame = (text: string, comm: string): number => {
    const known = !text.startsWith('0x');
    const symbol = known ? text : '[unknown]';
    const address = known ? '0x0' : text;
    return builder.symbol({ symbol, module: comm, is_kernel: false, address });
  };
  for (const { pid, kernel, user, count } of samples) {
    if (!include_kernel && kernel.length > 0) continue;
    const comm = names.get(pid) ?? '[program]';
    // Outside of the kernel something of the program ran, also where its stack was not taken.
    const frames = kernel.length + user.length === 0 ? ['0x0'] : user;
    const called = Int32Array.from([
      ...kernel.map(kernelFrame),
      ...frames.map((each) => userFrame(each, comm)),
    ]);
    const stack = builder.stack(called, called.length);
    const process = builder.process({ pid, tid: pid, comm });
    builder.add({ process, stack, cpu: null, weight: count });
  }
  return builder.finish();
}

function procfsRung(ctx: Context, query: CpuProfileQuery): Rung<SampledCpu> {
  return {
    method: 'procfs',
    obstacle: () => null,
    measure: (call) => measureProcfs(ctx, query, call),
  };
}

async function measureProcfs(
  ctx: Context,
  { duration_ms, target }: CpuProfileQuery,
  call: Call,
): Promise<Measured<SampledCpu>> {
  const before = await scanProcesses(ctx, call);
  await ctx.sleep(duration_ms, call.signal);
  const after = await scanProcesses(ctx, call);
  const { uses, ended } = compareScans(before, after);
  const cpu_time = uses
    .filter(({ now }) => target.scope === 'all' || now.pid === target.pid)
    .map(({ now, runtime_ms }) => ({ pid: now.pid, comm: now.comm, cpu_ms: runtime_ms }));
  return {
    value: { profile: null, idle_aside: 0, kernel_names_only: false, user_only: false, cpu_time },
    source: '/proc/PID/stat, /proc/PID/task/TID/schedstat',
    window_ms: Math.round(after.started_ms - before.started_ms),
    lost_events: null,
    warnings: [
      'CPU time by process only: functions need perf or bpftrace.',
      ...(ended > 0
        ? [`${ended} processes ended within the window: what they used is not in it.`]
        : []),
    ],
  };
}
