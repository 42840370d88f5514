import type { Call, Context } from '../context.ts';
import { type SchedExtState, schedExtState } from './sched-ext.ts';
import { lastExit } from './scheduler-exit.ts';

/** What became of the scheduler that was there when a measurement began. */
export type SchedulerChange = Readonly<{
  /** Null: none was loaded. */
  was: string | null;
  now: string | null;
  /** Why it ended, in the kernel's words; null where none did or the log does not tell. */
  reason: string | null;
}>;

const settle_poll_ms = 20;
/** Disabling moves every task back to its class: milliseconds, more on a host with many tasks. */
const longest_settling_ms = 800;

/** The state, once a scheduler that is on its way out is gone: its reason is in the log only then. */
export async function settledState(ctx: Context, call: Call): Promise<SchedExtState> {
  const deadline_ms = ctx.monotonicMs() + longest_settling_ms;
  let state = schedExtState(ctx);
  while (state.state === 'disabling' && ctx.monotonicMs() < deadline_ms) {
    await ctx.sleep(settle_poll_ms, call.signal);
    state = schedExtState(ctx);
  }
  return state;
}

type Load = Pick<SchedExtState, 'active' | 'enable_seq' | 'ops'>;

/** Whether the same load of the same scheduler decides in both states. */
export function isSameLoad(a: Load, b: Load): boolean {
  return a.active === b.active && (!a.active || a.enable_seq === b.enable_seq);
}

/** What happened since `before`; null where nothing did. Reads the kernel's log for the reason. */
export async function changeSince(
  ctx: Context,
  before: Load,
  call: Call,
): Promise<SchedulerChange | null> {
  if (isSameLoad(before, schedExtState(ctx))) return null;
  const after = await settledState(ctx, call);
  return await changeBetween(ctx, before, after, call);
}

export async function changeBetween(
  ctx: Context,
  before: Load,
  after: Load,
  call: Call,
): Promise<SchedulerChange> {
  return {
    was: nameOf(before),
    now: nameOf(after),
    reason: before.active ? await reasonOf(ctx, before.ops?.ops, call) : null,
  };
}

async function reasonOf(ctx: Context, ops: string | undefined, call: Call): Promise<string | null> {
  const { exit } = await lastExit(ctx, call, ops);
  if (!exit) return null;
  return exit.message === null ? exit.kind : `${exit.kind}: ${exit.message}`;
}

const nameOf = ({ active, ops }: Load): string | null =>
  active ? (ops?.name ?? 'a scheduler without a name') : null;

/** One sentence, such as "lab_failing ended (runnable task stall: …) meanwhile; lab_fifo runs now." */
export function changeInWords({ was, now, reason }: SchedulerChange, when = 'meanwhile'): string {
  if (was === null) return `${now ?? 'No scheduler'} was loaded ${when}.`;
  const why = reason === null ? 'the kernel log does not say why' : reason;
  return `${was} ended ${when} (${why})${now === null ? '' : `; ${now} runs now`}.`;
}
