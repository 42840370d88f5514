import {
  type PerfTraceEvent,
  perfRecordEvents,
  perfScriptEvents,
} from '../../allowlist/perf-events.ts';
import { programs } from '../../allowlist/programs.ts';
import { type PerfEventRecord, perfEventsParser } from '../../parsers/perf-events/perf-events.ts';
import type { Call, Context } from '../context.ts';
import type { Measured, Rung } from './bounded-trace.ts';
import { traceEventsObstacle } from './perf-obstacles.ts';
import { startRecorder } from './perf-recorder.ts';
import { failedProgram } from './program-failure.ts';
import { recordFor } from './record-for.ts';
import { type Obstacle, programObstacle, readOnlyObstacle } from './tracing-obstacles.ts';

/** Makes the answer of the events while they are read. */
export type EventFold<T> = Readonly<{ event(event: PerfEventRecord): void; finish(): T }>;

type Plan<T> = Readonly<{
  method: string;
  events: readonly PerfTraceEvent[];
  stacks: boolean;
  duration_ms: number;
  /** What was asked for and these events cannot tell. */
  lacks?: Obstacle | null;
  fold(): EventFold<T>;
  warnings?: readonly string[];
}>;

const max_bytes = 128 * 1024 * 1024;

/**
 * Every event recorded by perf and read afterwards: works without BPF, and costs more than a program
 * in the kernel that keeps sums.
 */
export function perfEventsRung<T>(ctx: Context, plan: Plan<T>): Rung<T> {
  return {
    method: plan.method,
    obstacle: () =>
      plan.lacks ??
      readOnlyObstacle(ctx) ??
      programObstacle(ctx, programs.perf) ??
      traceEventsObstacle(ctx),
    measure: (call) => measure(ctx, plan, call),
  };
}

async function measure<T>(ctx: Context, plan: Plan<T>, call: Call): Promise<Measured<T>> {
  const file = `${plan.method}-${Math.round(ctx.monotonicMs())}.data`;
  try {
    const output = ctx.scratch.path(file);
    const { events, stacks, duration_ms } = plan;
    const limit_ms = duration_ms + 60_000;
    const command = perfRecordEvents({ events, stacks, duration_ms: limit_ms, output, max_bytes });
    const started = await startRecorder(ctx, command, file, call);
    if ('refused' in started) throw failedProgram('perf record', started.refused.stderr);
    const window_ms = await recordFor(ctx, started.recorder, duration_ms, call);
    const recorded = await started.recorder.finished;
    call.progress('reading the recording');
    const fold = plan.fold();
    let seen = 0;
    const parser = perfEventsParser((event) => {
      seen += 1;
      fold.event(event);
    });
    const running = await ctx.start(perfScriptEvents(output, stacks), {
      signal: call.signal,
      onStdout: parser.push,
    });
    const read = await running.finished;
    call.signal.throwIfAborted();
    const { lost } = parser.end();
    if (seen === 0 && read.exit_code !== 0 && read.stopped_by === 'exit') {
      throw failedProgram('perf script', read.stderr);
    }
    // A running kernel switches: none seen means that none could be.
    if (seen === 0 && events.includes('sched:sched_switch')) {
      throw failedProgram('perf record', recorded.stderr);
    }
    const full = recorded.stderr.includes('size limit reached');
    const torn = read.stopped_by === 'exit' && read.exit_code !== 0;
    const late = read.stopped_by !== 'exit';
    return {
      value: fold.finish(),
      source: `perf record, perf script (${events.join(', ')})`,
      window_ms,
      lost_events: lost,
      warnings: [
        ...(plan.warnings ?? []),
        ...(full ? ['The recording reached 128 MiB: what came later is missing.'] : []),
        ...(torn ? ['perf script could not read the recording to its end.'] : []),
        ...(late
          ? [`perf script was ended by its ${read.stopped_by}: later events are missing.`]
          : []),
        ...(lost > 0 ? [`The kernel dropped ${lost} events: counts are too low.`] : []),
      ],
    };
  } finally {
    ctx.scratch.remove(file);
  }
}
