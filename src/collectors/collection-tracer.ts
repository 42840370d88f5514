import { bpftraceScript } from '../../allowlist/bpftrace.ts';
import type { WholeProgram } from '../../allowlist/bpftrace-program.ts';
import { programs } from '../../allowlist/programs.ts';
import { parseCollection, type SwitchCounts } from '../../parsers/collection/collection.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError, toTracewrightError } from '../errors.ts';
import { startTracer } from './bpftrace-tracer.ts';
import { bpftraceHas } from './bpftrace-version.ts';
import { kernelFacts } from './kernel-facts.ts';
import { mapPrints } from './printed-maps.ts';
import { refuseUntraceable } from './trace-refusal.ts';
import { mapKeys } from './tracer-time.ts';
import { bpfObstacle, type Obstacle } from './tracing-obstacles.ts';

/** Counts since the probes were attached, and when they were read. */
export type CountsAt = Readonly<{ counts: SwitchCounts; at_ms: number }>;

/** A running scripts/bpftrace/collection.bt, or its sibling for older versions. */
export type CollectionTracer = Readonly<{
  pid: number;
  attached: readonly string[];
  /** Keys that each of its tables can hold. */
  map_keys: number;
  read(signal: AbortSignal): Promise<CountsAt>;
  stop(): Promise<void>;
  finished: Promise<void>;
}>;

/** Starts it and waits until it counts. The error says what bpftrace said. */
export async function startCollection(
  ctx: Context,
  duration_ms: number,
  call: Call,
): Promise<CollectionTracer> {
  const { name, attached } = await chooseProgram(ctx);
  const map_keys = 2 * mapKeys(ctx);
  const prints = mapPrints(ctx);
  const tracer = await startTracer(
    ctx,
    bpftraceScript(
      {
        program: { kind: 'whole', name },
        parameters: [],
        duration_ms,
        map_keys,
        quiet: true,
        output_bytes: Number.MAX_SAFE_INTEGER,
      },
      ctx,
    ),
    { onStdout: prints.push },
    prints.attached,
    call,
  ).catch((thrown: unknown) => {
    throw failedToAttach(thrown);
  });
  return {
    pid: tracer.pid,
    attached,
    map_keys,
    async read(signal) {
      const { text, at_ms } = await prints.next(tracer, { signal });
      return { counts: parseCollection(text), at_ms };
    },
    stop: tracer.stop,
    finished: tracer.finished,
  };
}

const events = ['sched_switch', 'sched_process_exit'] as const;
const tracepoints = events.map((event) => `sched:${event}`);

/** Why context switches cannot be counted here; null where it can be tried. */
export const collectionObstacle = (ctx: Context): Obstacle | null =>
  bpfObstacle(ctx, programs.bpftrace, { tracepoints });

/** Raw tracepoints cost less per switch and tell both processes, but need bpftrace 0.18 and BTF. */
async function chooseProgram(
  ctx: Context,
): Promise<Readonly<{ name: WholeProgram; attached: readonly string[] }>> {
  refuseUntraceable(ctx, {});
  if ((await bpftraceHas(ctx, 18)) && kernelFacts(ctx).btf.value === true) {
    const attached = events.map((event) => `rawtracepoint:${event}`);
    return { name: 'collection', attached };
  }
  refuseUntraceable(ctx, { tracepoints });
  const attached = tracepoints.map((event) => `tracepoint:${event}`);
  return { name: 'collection-tracepoint', attached };
}

function failedToAttach(thrown: unknown): TracewrightError {
  const error = toTracewrightError(thrown);
  if (error.code !== 'EXECUTION_FAILED') return error;
  const said = untrusted(error.message, 400);
  return new TracewrightError(error.code, `Failed to attach: ${said}`, error.suggestion, thrown);
}
