import { bpftraceScript } from '../../allowlist/bpftrace.ts';
import { type InsertProbe, retargetDsqProgram } from '../../allowlist/dsq-program.ts';
import { type DsqOutput, dsqAccumulator } from '../../parsers/dsq/dsq.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';

/** A running scripts/bpftrace/dsq.bt. */
export type DsqTracer = Readonly<{
  probe: InsertProbe;
  interval_ms: number;
  /** What was seen since the last call, after at least so many whole intervals. */
  watch(intervals: number, call: Call): Promise<DsqOutput>;
  stop(): Promise<void>;
  ended(): boolean;
}>;

const poll_ms = 20;
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
  const running = await ctx.start(
    bpftraceScript({ path, parameters: [interval_ms], duration_ms: longest_ms }),
    { onStdout: accumulator.push },
  );
  let stderr: string | undefined;
  void running.finished.then((finished) => {
    stderr = finished.stderr;
  });

  const until = async (reached: () => boolean): Promise<void> => {
    while (!reached()) {
      if (stderr !== undefined) throw failed(stderr);
      await ctx.sleep(poll_ms, call.signal);
    }
  };
  const stop = async (): Promise<void> => {
    running.stop();
    await running.finished;
  };
  try {
    call.progress('attaching probes');
    await until(() => accumulator.attached() !== null);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return {
    probe,
    interval_ms,
    async watch(intervals, { signal }) {
      while (accumulator.intervals() < intervals) {
        if (stderr !== undefined) throw failed(stderr);
        await ctx.sleep(poll_ms, signal);
      }
      return accumulator.drain();
    },
    stop,
    ended: () => stderr !== undefined,
  };
}

function failed(stderr: string): TracewrightError {
  const line = stderr.split('\n').find((each) => /error/i.test(each)) ?? stderr;
  return new TracewrightError(
    'EXECUTION_FAILED',
    `bpftrace ended: ${untrusted(line, 300) || 'it said nothing'}`,
    'Run `tracewright doctor`, and report this with its output.',
  );
}
