import type { Call, Context } from '../context.ts';

/** Counters at two moments. */
export type CounterWindow<S> = Readonly<{ before: S; after: S; window_ms: number }>;

type Sample<S> = Readonly<{ at_ms: number; counters: S }>;

export type WindowMeter<S> = Readonly<{
  /** Whether `measure` would answer from an earlier sample, without waiting. */
  hasBaseline(ctx: Context, window_ms: number | undefined): boolean;
  /**
   * Two samples: `window_ms` apart where it is given. Where it is not, a server that stays compares
   * with an earlier read of 1 to 300 s ago and does not wait; else the window is 500 ms.
   */
  measure(ctx: Context, window_ms: number | undefined, call: Call): Promise<CounterWindow<S>>;
}>;

export const default_window_ms = 500;
const youngest_ms = 1000;
const oldest_ms = 300_000;

/** A way to measure what `take` reads over a window. Each meter keeps its own baselines. */
export function windowMeter<S>(take: (ctx: Context, call: Call) => S | Promise<S>): WindowMeter<S> {
  const kept = new WeakMap<Context, readonly Sample<S>[]>();

  const sample = async (ctx: Context, call: Call): Promise<Sample<S>> => {
    const at_ms = ctx.monotonicMs();
    return { at_ms, counters: await take(ctx, call) };
  };

  function baseline(ctx: Context, window_ms: number | undefined): Sample<S> | undefined {
    if (!ctx.settings.daemon || window_ms !== undefined) return undefined;
    const now_ms = ctx.monotonicMs();
    return (kept.get(ctx) ?? []).findLast(({ at_ms }) => {
      const age_ms = now_ms - at_ms;
      return age_ms >= youngest_ms && age_ms <= oldest_ms;
    });
  }

  /** The newest two, at least a second apart: reads in quick succession keep their baseline. */
  function keep(ctx: Context, newest: Sample<S>): void {
    if (!ctx.settings.daemon) return;
    const [previous, last] = (kept.get(ctx) ?? []).slice(-2);
    if (!previous) kept.set(ctx, [newest]);
    else if (!last) kept.set(ctx, [previous, newest]);
    else if (newest.at_ms - last.at_ms >= youngest_ms) kept.set(ctx, [last, newest]);
  }

  return {
    hasBaseline: (ctx, window_ms) => baseline(ctx, window_ms) !== undefined,
    async measure(ctx, window_ms, call) {
      let before = baseline(ctx, window_ms);
      if (!before) {
        before = await sample(ctx, call);
        const end_ms = before.at_ms + (window_ms ?? default_window_ms);
        // Taking a sample of a large host takes long: that time is part of the window.
        await ctx.sleep(Math.max(0, end_ms - ctx.monotonicMs()), call.signal);
      }
      const after = await sample(ctx, call);
      keep(ctx, after);
      const { counters } = before;
      const length_ms = Math.round(after.at_ms - before.at_ms);
      return { before: counters, after: after.counters, window_ms: length_ms };
    },
  };
}
