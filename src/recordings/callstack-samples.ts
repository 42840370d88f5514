import { perfRecord } from '../../allowlist/perf-record.ts';
import { perfScript } from '../../allowlist/perf-script.ts';
import { programs } from '../../allowlist/programs.ts';
import { perfScriptParser } from '../../parsers/perf-script/perf-script.ts';
import { type Recorder, startRecorder } from '../collectors/perf-recorder.ts';
import { perfRefusal } from '../collectors/perf-refusals.ts';
import { cpu_clock } from '../collectors/profile-event.ts';
import { programObstacle } from '../collectors/tracing-obstacles.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import { stackProfiles } from '../profiles/profile-builder.ts';
import type { Unavailable } from '../reading.ts';
import { stackSamples } from './perfetto/stack-samples.ts';

/** The call stacks of what ran, sampled beside a recording. */
export type CallstackSamples = Readonly<{
  /** Sampling ends; what was sampled can still be read. */
  stop(): void;
  /** Writes those samples that were taken between two times of the trace. */
  read(into: Destination): Promise<SampleCounts>;
  /** Nothing is left of it. */
  end(): Promise<void>;
}>;

type Destination = Readonly<{
  from_ns: number;
  to_ns: number;
  /** From CLOCK_MONOTONIC to the clock of the trace. */
  offset_ns: number;
  write(bytes: Uint8Array): void;
  isFull(): boolean;
}>;

export type SampleCounts = Readonly<{
  rate_hz: number;
  /** In the trace; of those the ones of CPUs that had nothing to do. */
  samples: number;
  idle: number;
  /** Taken before the recording began or after it ended: not in the trace. */
  outside: number;
  /** Dropped by the kernel. */
  lost: number;
  /** The trace was full, or perf script was ended: later ones are missing. */
  is_cut: boolean;
}>;

type Wish = Readonly<{ rate_hz: number; pid: number | null; duration_ms: number }>;

const file = 'recording-samples.data';
const max_bytes = 256 * 1024 * 1024;

/**
 * Starts to sample with perf, on CLOCK_MONOTONIC: the one clock that every event of the kernel can
 * be stamped with. Where that cannot be done, why not: a recording is worth something without it.
 */
export async function sampleCallstacks(
  ctx: Context,
  { rate_hz, pid, duration_ms }: Wish,
  call: Call,
): Promise<CallstackSamples | Unavailable> {
  const obstacle = programObstacle(ctx, programs.perf);
  if (obstacle) return { what: 'stack_samples', ...obstacle };
  const target = pid === null ? { scope: 'all' as const } : { scope: 'pid' as const, pid };
  const command = perfRecord({
    event: cpu_clock,
    user_only: false,
    rate: { freq_hz: rate_hz },
    target,
    callgraph: 'fp',
    output: ctx.scratch.path(file),
    max_bytes,
    // bpftrace may take as long to begin.
    duration_ms: duration_ms + 120_000,
    private_mounts: false,
    monotonic: true,
  });
  const started = await startRecorder(ctx, command, file, call);
  if ('recorder' in started) return samplesOf(ctx, started.recorder, rate_hz);
  ctx.scratch.remove(file);
  const { stderr } = started.refused;
  const named = pid === null ? { scope: 'all' as const } : { scope: 'pid' as const, pid, comm: '' };
  const refusal = { stderr, event: 'sw:cpu-clock', isTracepoint: false, target: named };
  const { message, suggestion } = toTracewrightError(perfRefusal(ctx, refusal));
  return { what: 'stack_samples', reason: message, fix: suggestion };
}

function samplesOf(ctx: Context, recorder: Recorder, rate_hz: number): CallstackSamples {
  return {
    stop: () => recorder.stop(),
    async read(into) {
      await recorder.finished;
      const { lost } = await recorder.counts();
      return { rate_hz, lost, ...(await writeSamples(ctx, into, rate_hz)) };
    },
    async end() {
      recorder.stop();
      await recorder.finished;
      ctx.scratch.remove(file);
    },
  };
}

async function writeSamples(ctx: Context, into: Destination, rate_hz: number) {
  const { from_ns, to_ns, offset_ns, write, isFull } = into;
  const stacks = stackProfiles('tid');
  const trace = stackSamples({ event: 'cpu-clock', rate_hz, write, ...stacks });
  let samples = 0;
  let idle = 0;
  let outside = 0;
  let is_cut = false;
  const parser = perfScriptParser({
    frame: ({ symbol, module, kind }) =>
      stacks.frame({ name: symbol, module: module === '[unknown]' ? null : module, kind }),
    task: stacks.task,
    stack: stacks.stack,
    sample({ task, stack, cpu, time_s }) {
      if (time_s === null || is_cut) return;
      const ts = Math.round(time_s * 1e9) + offset_ns;
      if (ts < from_ns || ts > to_ns) {
        outside += 1;
        return;
      }
      const { pid = null, tid = null } = stacks.taskOf(task) ?? {};
      trace.add({ ts, cpu, pid, tid, stack });
      samples += 1;
      if (tid === 0) idle += 1;
      is_cut = isFull();
    },
  });
  const running = await ctx.start(perfScript(ctx.scratch.path(file), 'ns'), {
    onStdoutBytes(bytes) {
      if (!is_cut) parser.push(bytes);
      if (is_cut) running.stop();
    },
  });
  const { stopped_by } = await running.finished;
  parser.end();
  return { samples, idle, outside, is_cut: is_cut || stopped_by !== 'exit' };
}
