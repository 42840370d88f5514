import type { InsertProbe } from '../../allowlist/dsq-program.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import { tracingObstacle } from './bpftrace-tracer.ts';
import { chooseInsertProbe, dsq_uri } from './dsq-probe.ts';
import { noteStage, type Shares, type Stage, shareOut } from './dsq-stages.ts';
import { type DsqTracer, startDsqTracer, watchedTime } from './dsq-tracer.ts';
import { keptTracers } from './kept-tracers.ts';
import { type SchedExtState, sched_ext_root, schedExtState } from './sched-ext.ts';
import { isSameLoad } from './scheduler-change.ts';

export type Watched = Shares &
  Readonly<{
    probe: InsertProbe;
    /** From the first print to the last one. */
    window_ms: number;
    lost_events: number;
    began_ms: number;
    /** Who decided, from when on; the first one when the watch began. */
    stages: readonly Stage[];
  }>;

/** Short enough to answer soon, long enough that printing the maps costs nothing. */
const interval_ms = 500;

/** With the scheduler that was there when the last read ended. */
const kept = keptTracers<DsqTracer & Readonly<{ state: SchedExtState }>>();

/**
 * Watches the queues for at least `window_ms`. A daemon keeps the tracer for the next read, which
 * then gets all that happened since, and lets go of it after half a minute without one; otherwise it
 * is attached for this read alone, because attaching takes longer than measuring. A scheduler that
 * ends or comes meanwhile does not end the watch.
 */
export async function dsqSession(
  ctx: Context,
  window_ms: number,
  call: Call,
): Promise<Watched | Unavailable> {
  const obstacle = tracingObstacle(ctx, dsq_uri);
  if (obstacle) return obstacle;
  try {
    const tracer = await openTracer(ctx, call);
    if ('what' in tracer) return tracer;
    const began_ms = ctx.monotonicMs();
    const stages: Stage[] = [];
    const look = schedulerLook(ctx, stages);
    try {
      await tracer.watch(window_ms, look, call);
      return { ...summedUp(tracer, stages), stages, began_ms };
    } finally {
      const last = stages.at(-1);
      if (last) await kept.leave(ctx, { ...tracer, state: last.state });
      else await tracer.stop();
    }
  } catch (thrown) {
    const { code, message, suggestion } = toTracewrightError(thrown);
    if (code === 'CANCELED') throw thrown;
    return { what: dsq_uri, reason: message, fix: suggestion };
  }
}

/** Adds a stage when the scheduler has changed; two small reads where it has not. */
function schedulerLook(ctx: Context, stages: Stage[]): () => void {
  let before = '';
  return () => {
    const now = `${ctx.files.text(`${sched_ext_root}/state`)}${ctx.files.text(`${sched_ext_root}/enable_seq`)}`;
    if (now === before) return;
    before = now;
    noteStage(stages, { from_ms: ctx.monotonicMs(), state: schedExtState(ctx) });
  };
}

function summedUp(tracer: DsqTracer, stages: readonly Stage[]) {
  const slices = tracer.take();
  return {
    ...shareOut(slices, stages),
    probe: tracer.probe,
    window_ms: Math.round(watchedTime(slices)),
    lost_events: slices.reduce((sum, { output }) => sum + output.lost_events, 0),
  };
}

async function openTracer(ctx: Context, call: Call): Promise<DsqTracer | Unavailable> {
  const tracer = kept.take(ctx);
  if (tracer && isSameLoad(tracer.state, schedExtState(ctx))) return tracer;
  if (tracer) return await beginAnew(tracer, call);
  const probe = await chooseInsertProbe(ctx);
  return 'what' in probe ? probe : await startDsqTracer(ctx, probe, interval_ms, call);
}

/** What was counted since the last read is of another scheduler, the current interval in part. */
async function beginAnew(tracer: DsqTracer, call: Call): Promise<DsqTracer> {
  tracer.take();
  try {
    await tracer.watch(0, () => {}, call);
  } catch (thrown) {
    await tracer.stop();
    throw thrown;
  }
  tracer.take();
  return tracer;
}
