import { programs } from '../../allowlist/programs.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import { keptTracers } from './kept-tracers.ts';
import { type SchedProgram, type SchedTracer, startSchedTracer } from './sched-trace-tracer.ts';
import { bpfObstacle } from './tracing-obstacles.ts';

/** The figures of one window, from bpftrace. */
export type SchedTrace<T> = Readonly<{
  figures: T;
  window_ms: number;
  /** Entries that each map of the program held. */
  map_keys: number;
  tracer_pid: number;
}>;

type Plan<T> = Readonly<{
  program: SchedProgram;
  /** Null: nothing is traced. */
  trace_ms: number | null;
  /** The fields that stay null where it cannot be traced. */
  what: string;
  parse(text: string): T;
}>;

export type Beside<M, T> = Readonly<{
  measured: M;
  /** Null where nothing was to be traced. */
  trace: SchedTrace<T> | Unavailable | null;
}>;

/** Measures something, and traces the scheduler during the same time where that was asked for. */
export async function besideTrace<M, T>(
  ctx: Context,
  plan: Plan<T>,
  measure: () => Promise<M>,
  call: Call,
): Promise<Beside<M, T>> {
  const { trace_ms, what } = plan;
  if (trace_ms === null) return { measured: await measure(), trace: null };
  const tracer = await orReason(what, () => attach(ctx, plan, call));
  if ('what' in tracer) return { measured: await measure(), trace: tracer };
  const tracing = orReason(what, () => traced(tracer, trace_ms, plan, call));
  try {
    const measured = await measure();
    return { measured, trace: await tracing };
  } finally {
    const trace = await tracing.catch(() => null);
    if (trace && 'what' in trace) await tracer.stop();
    else await stores[plan.program.script].leave(ctx, tracer);
  }
}

async function traced<T>(
  tracer: Attached,
  trace_ms: number,
  { parse }: Plan<T>,
  call: Call,
): Promise<SchedTrace<T>> {
  const { text, window_ms } = await tracer.window(trace_ms, call);
  const { map_keys, pid } = tracer;
  return { figures: parse(text), window_ms, map_keys, tracer_pid: pid };
}

type Attached = SchedTracer & Readonly<{ program: SchedProgram }>;

const stores = {
  'sched-aggregates': keptTracers<Attached>(),
  'sched-processes': keptTracers<Attached>(),
};

async function attach<T>(
  ctx: Context,
  { program, what }: Plan<T>,
  call: Call,
): Promise<Attached | Unavailable> {
  const obstacle = obstacleTo(ctx, program, what);
  if (obstacle) return obstacle;
  const kept = stores[program.script].take(ctx);
  if (kept && isSame(kept.program, program)) return kept;
  await kept?.stop();
  return { ...(await startSchedTracer(ctx, program, call)), program };
}

const isSame = (kept: SchedProgram, wanted: SchedProgram): boolean =>
  kept.script !== 'sched-processes' ||
  wanted.script !== 'sched-processes' ||
  kept.pid === wanted.pid;

const tracepoints = {
  'sched-aggregates': ['sched:sched_wakeup', 'sched:sched_migrate_task', 'irq:softirq_entry'],
  'sched-processes': ['sched:sched_waking', 'sched:sched_migrate_task'],
} as const;

/** Its inode number is fixed (include/linux/proc_ns.h). */
const first_pid_namespace = 'pid:[4026531836]';

function obstacleTo(ctx: Context, { script }: SchedProgram, what: string): Unavailable | null {
  const needed = [...tracepoints[script], 'signal:signal_generate'];
  const obstacle = bpfObstacle(ctx, programs.bpftrace, { tracepoints: needed });
  if (obstacle) return { what, ...obstacle };
  const namespace = ctx.files.link('/proc/self/ns/pid');
  if (namespace === null || namespace === first_pid_namespace) return null;
  const reason = 'The kernel tells process ids of the host, and this server sees others.';
  return {
    what,
    reason,
    fix: 'Start the container in the PID namespace of the host (--pid=host).',
  };
}

async function orReason<R>(what: string, work: () => Promise<R>): Promise<R | Unavailable> {
  try {
    return await work();
  } catch (thrown) {
    const { code, message, suggestion } = toTracewrightError(thrown);
    if (code === 'CANCELED') throw thrown;
    return { what, reason: message, fix: suggestion };
  }
}

type Told = Readonly<{ entries: Readonly<Record<string, number>>; unmatched: number }>;

const noteworthy_share = 0.01;

/** What the figures lack: entries for which a map had no room, waits of which no one saw the begin. */
export function traceWarnings(
  { figures, map_keys }: SchedTrace<Told>,
  waits: number,
): readonly string[] {
  const full = Object.entries(figures.entries).filter(([, entries]) => entries >= map_keys - 1);
  const { unmatched } = figures;
  return [
    ...full.map(
      ([name]) =>
        `Map ${name} of the tracer is full with ${map_keys} entries: what came after is missing.`,
    ),
    ...(unmatched > noteworthy_share * waits + 10
      ? [`${unmatched} waits are missing: the tracer did not see them begin (it saw ${waits}).`]
      : []),
  ];
}
