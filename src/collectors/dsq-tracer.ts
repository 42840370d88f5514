import { bpftraceScript } from '../../allowlist/bpftrace.ts';
import { type InsertProbe, retargetDsqProgram } from '../../allowlist/dsq-program.ts';
import { type DsqOutput, dsqAccumulator } from '../../parsers/dsq/dsq.ts';
import type { Call, Context } from '../context.ts';
import { startTracer } from './bpftrace-tracer.ts';

/** A running scripts/bpftrace/dsq.bt. */
export type DsqTracer = Readonly<{
  probe: InsertProbe;
  interval_ms: number;
  /** What was seen since the last call, after at least so many whole intervals. */
  watch(intervals: number, call: Call): Promise<DsqOutput>;
  stop(): Promise<void>;
  ended(): boolean;
}>;

/** A tracer that nobody reads goes by itself; it is stopped long before that. */
const longest_ms = 3_600_000;

/** Starts the tracer and waits until its probes are attached. EXECUTION_FAILED says what it said. */
export async function startDsqTracer(
  ctx: Context,
  probe: InsertProbe,
  interval_ms: number,
  call: Call,
): Promise<DsqTracer> {
  const program = retargetDsqProgram(ctx.script('dsq').text, probe);
  const path = ctx.scratch.write('dsq.bt', program);
  const accumulator = dsqAccumulator();
  const tracer = await startTracer(
    ctx,
    bpftraceScript({ path, parameters: [interval_ms], duration_ms: longest_ms }),
    { onStdout: accumulator.push },
    () => accumulator.attached() !== null,
    call,
  );
  return {
    probe,
    interval_ms,
    async watch(intervals, { signal }) {
      await tracer.until(() => accumulator.intervals() >= intervals, signal);
      return accumulator.drain();
    },
    stop: tracer.stop,
    ended: tracer.ended,
  };
}
