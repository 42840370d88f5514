import { bpftraceScript } from '../../allowlist/bpftrace.ts';
import { type InsertProbe, retargetDsqProgram } from '../../allowlist/dsq-program.ts';
import { type DsqOutput, dsqAccumulator } from '../../parsers/dsq/dsq.ts';
import type { Call, Context } from '../context.ts';
import { startTracer } from './bpftrace-tracer.ts';

/** One or a few whole intervals, and when they had arrived. */
export type DsqSlice = Readonly<{ at_ms: number; output: DsqOutput }>;

/** A running scripts/bpftrace/dsq.bt. */
export type DsqTracer = Readonly<{
  probe: InsertProbe;
  interval_ms: number;
  /** Waits for at least so many whole intervals, and calls `look` every few milliseconds. */
  watch(intervals: number, look: () => void, call: Call): Promise<void>;
  /** What was seen since the last call, oldest first. */
  take(): readonly DsqSlice[];
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
  let slices: DsqSlice[] = [];
  let intervals = 0;
  const onStdout = (text: string): void => {
    accumulator.push(text);
    if (accumulator.intervals() === 0) return;
    const output = accumulator.drain();
    intervals += output.intervals;
    slices.push({ at_ms: ctx.monotonicMs(), output });
  };
  const tracer = await startTracer(
    ctx,
    bpftraceScript({ path, parameters: [interval_ms], duration_ms: longest_ms }),
    { onStdout },
    () => accumulator.attached() !== null,
    call,
  );
  return {
    probe,
    interval_ms,
    async watch(wanted, look, { signal }) {
      await tracer.until(() => {
        look();
        return intervals >= wanted;
      }, signal);
    },
    take() {
      const taken = slices;
      slices = [];
      intervals = 0;
      return taken;
    },
    stop: tracer.stop,
    ended: tracer.ended,
  };
}
