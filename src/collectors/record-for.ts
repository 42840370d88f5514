import type { Call, Context } from '../context.ts';
import type { Recorder } from './perf-recorder.ts';

/** Lets perf record for so long, or until its process ends, and ends it; how long that was. */
export async function recordFor(
  ctx: Context,
  recorder: Recorder,
  duration_ms: number,
  call: Call,
): Promise<number> {
  call.progress(`watching for ${duration_ms / 1000} s`);
  const left_ms = recorder.enabled_ms + duration_ms - ctx.monotonicMs();
  const ended = new AbortController();
  const timed = ctx
    .sleep(Math.max(0, left_ms), AbortSignal.any([ended.signal, call.signal]))
    .catch(() => {});
  await Promise.race([timed, recorder.finished]);
  const window_ms = Math.round(ctx.monotonicMs() - recorder.enabled_ms);
  ended.abort();
  recorder.stop();
  await recorder.finished;
  call.signal.throwIfAborted();
  return window_ms;
}
