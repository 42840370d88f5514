import { bpftraceScript } from '../../allowlist/bpftrace.ts';
import type { InsertProbe } from '../../allowlist/dsq-program.ts';
import { type DsqOutput, dsqAccumulator } from '../../parsers/dsq/dsq.ts';
import type { Call, Context } from '../context.ts';
import { startTracer } from './bpftrace-tracer.ts';

/**
 * What was counted from one print of the maps to a later one. bpftrace reads them when it prints: that
 * is after the interval has ended, and much later where bpftrace itself waits for a CPU.
 */
export type DsqSlice = Readonly<{ from_ms: number; until_ms: number; output: DsqOutput }>;

/** A running scripts/bpftrace/dsq.bt. */
export type DsqTracer = Readonly<{
  probe: InsertProbe;
  /** Waits for at least so long, whole intervals, and calls `look` every few milliseconds. */
  watch(window_ms: number, look: () => void, call: Call): Promise<void>;
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
  const program = { kind: 'dsq', probe } as const;
  const accumulator = dsqAccumulator();
  let slices: DsqSlice[] = [];
  let from_ms: number | null = null;
  const onStdout = (text: string): void => {
    accumulator.push(text);
    if (accumulator.intervals() === 0) return;
    const until_ms = ctx.monotonicMs();
    const output = accumulator.drain();
    // bpftrace says "attached" before it attaches: what is counted begins with the first print.
    if (from_ms !== null) slices.push({ from_ms, until_ms, output });
    from_ms = until_ms;
  };
  const tracer = await startTracer(
    ctx,
    bpftraceScript({ program, parameters: [interval_ms], duration_ms: longest_ms }, ctx),
    { onStdout },
    () => from_ms !== null,
    call,
  );
  return {
    probe,
    async watch(window_ms, look, { signal }) {
      await tracer.until(() => {
        look();
        return slices.length > 0 && watchedTime(slices) >= window_ms - slack_ms;
      }, signal);
    },
    take() {
      const taken = slices;
      slices = [];
      return taken;
    },
    stop: tracer.stop,
    ended: tracer.ended,
  };
}

/** An interval may be printed a little sooner after its end than the one before it was. */
const slack_ms = 50;

/** How long a contiguous row of slices lasted. */
export function watchedTime(slices: readonly DsqSlice[]): number {
  const [first, last] = [slices[0], slices.at(-1)];
  return first && last ? last.until_ms - first.from_ms : 0;
}
