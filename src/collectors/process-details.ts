import type { Call, Context } from '../context.ts';
import { nextTurn } from './next-turn.ts';
import { accountsForWaits } from './process-scan.ts';
import type { ProcessUse } from './process-use.ts';
import {
  compareSamples,
  sampleThreads,
  type ThreadsSample,
  type ThreadsUse,
} from './thread-samples.ts';

export const detail_window_ms = 200;
/** Of one process; a pool of thousands is told by its first. */
export const max_threads_per_process = 512;
/** Of all processes together: two passes of these cost a fraction of a second each. */
export const max_detail_threads = 4000;
const threads_between_turns = 500;

export type Detail = Readonly<{ use: ThreadsUse; main: ThreadsSample['main'] }>;

/** Switches, migrations and waits of some processes, by pid, over a window of `detail_window_ms`. */
export async function measureDetails(
  ctx: Context,
  processes: readonly ProcessUse[],
  call: Call,
): Promise<ReadonlyMap<number, Detail>> {
  if (processes.length === 0) return new Map();
  const pids = processes.map(({ now }) => now.pid);
  const started_ms = ctx.monotonicMs();
  const before = await samplePass(ctx, pids, call);
  const rest_ms = started_ms + detail_window_ms - ctx.monotonicMs();
  if (rest_ms > 0) await ctx.sleep(rest_ms, call.signal);
  const after = await samplePass(ctx, pids, call);
  const details = new Map<number, Detail>();
  for (const [pid, now] of after) {
    const then = before.get(pid);
    if (then) details.set(pid, { use: compareSamples(then, now), main: now.main });
  }
  return details;
}

async function samplePass(
  ctx: Context,
  pids: readonly number[],
  call: Call,
): Promise<ReadonlyMap<number, ThreadsSample>> {
  const samples = new Map<number, ThreadsSample>();
  const waits = accountsForWaits(ctx.files);
  let sampled = 0;
  let next_turn = threads_between_turns;
  for (const pid of pids) {
    const cap = Math.min(max_threads_per_process, max_detail_threads - sampled);
    if (cap <= 0) break;
    const sample = sampleThreads(ctx, pid, cap, waits);
    if (sample === null) continue;
    samples.set(pid, sample);
    sampled += sample.counts.size;
    if (sampled < next_turn) continue;
    next_turn = sampled + threads_between_turns;
    await nextTurn(call.signal);
  }
  return samples;
}
