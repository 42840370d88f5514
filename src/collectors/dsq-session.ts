import type { InsertProbe } from '../../allowlist/dsq-program.ts';
import type { DsqOutput } from '../../parsers/dsq/dsq.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import { tracingObstacle } from './bpftrace-tracer.ts';
import { chooseInsertProbe, dsq_uri } from './dsq-probe.ts';
import { type DsqTracer, startDsqTracer } from './dsq-tracer.ts';

export type Watched = Readonly<{ output: DsqOutput; probe: InsertProbe; window_ms: number }>;

type Session = { tracer: DsqTracer; idle: NodeJS.Timeout; enable_seq: number | null };

/** Short enough to answer soon, long enough that printing the maps costs nothing. */
const interval_ms = 500;
/** Nothing stays attached for readers who have gone. */
const idle_ms = 30_000;

const sessions = new WeakMap<Context, Session>();

/**
 * Watches the queues for at least `window_ms`. A daemon keeps the tracer for the next read, which
 * then gets all that happened since, and lets go of it after half a minute without one; otherwise it
 * is attached for this read alone, because attaching takes longer than measuring.
 */
export async function dsqSession(
  ctx: Context,
  window_ms: number,
  enable_seq: number | null,
  call: Call,
): Promise<Watched | Unavailable> {
  const obstacle = tracingObstacle(ctx, dsq_uri);
  if (obstacle) return obstacle;
  try {
    const tracer = await openTracer(ctx, enable_seq, call);
    if ('what' in tracer) return tracer;
    try {
      const output = await tracer.watch(Math.ceil(window_ms / interval_ms), call);
      return { output, probe: tracer.probe, window_ms: output.intervals * interval_ms };
    } finally {
      if (ctx.settings.daemon && !tracer.ended()) keep(ctx, tracer, enable_seq);
      else await tracer.stop();
    }
  } catch (thrown) {
    const { code, message, suggestion } = toTracewrightError(thrown);
    if (code === 'CANCELED') throw thrown;
    return { what: dsq_uri, reason: message, fix: suggestion };
  }
}

async function openTracer(
  ctx: Context,
  enable_seq: number | null,
  call: Call,
): Promise<DsqTracer | Unavailable> {
  const session = sessions.get(ctx);
  if (session) clearTimeout(session.idle);
  if (session && !session.tracer.ended()) {
    // What was counted since the last read is of another scheduler.
    if (session.enable_seq !== enable_seq) await session.tracer.watch(0, call);
    return session.tracer;
  }
  const probe = await chooseInsertProbe(ctx);
  return 'what' in probe ? probe : await startDsqTracer(ctx, probe, interval_ms, call);
}

function keep(ctx: Context, tracer: DsqTracer, enable_seq: number | null): void {
  const idle = setTimeout(() => {
    sessions.delete(ctx);
    void tracer.stop();
  }, idle_ms);
  sessions.set(ctx, { tracer, idle: idle.unref(), enable_seq });
}
