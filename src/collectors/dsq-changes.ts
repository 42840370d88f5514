import type { Call, Context } from '../context.ts';
import type { Watched } from './dsq-session.ts';
import type { SchedExtState } from './sched-ext.ts';
import {
  changeBetween,
  isSameLoad,
  type SchedulerChange,
  settledState,
} from './scheduler-change.ts';

/** `after_ms`: how far into the watch it was seen; 0 while the probes were attached. */
export type DsqChange = SchedulerChange & Readonly<{ after_ms: number }>;

/** Every change of scheduler from `before`, the state when the read began, with its reason. */
export async function dsqChanges(
  ctx: Context,
  before: SchedExtState,
  { stages, began_ms }: Watched,
  call: Call,
): Promise<readonly DsqChange[]> {
  const last = stages.at(-1);
  // The log has the reason of an end only once the scheduler is gone.
  if (last && !last.state.active) await settledState(ctx, call);
  const changes: DsqChange[] = [];
  let then = before;
  for (const { from_ms, state } of stages) {
    if (!isSameLoad(then, state)) {
      const after_ms = Math.max(0, Math.round(from_ms - began_ms));
      changes.push({ after_ms, ...(await changeBetween(ctx, then, state, call)) });
    }
    then = state;
  }
  return changes;
}
