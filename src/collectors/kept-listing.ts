import type { Call, Context } from '../context.ts';

const oldest_ms = 60_000;

/**
 * A listing that changes when a kernel module is loaded and hardly else: what `load` answered is
 * kept per server for a minute. `load` answers null where there is nothing to keep.
 */
export function keptListing<T extends object>(
  load: (ctx: Context, call: Call) => Promise<T | null>,
): (ctx: Context, call: Call) => Promise<T | null> {
  const kept = new WeakMap<Context, Readonly<{ listing: T; at_ms: number }>>();
  return async (ctx, call) => {
    const before = kept.get(ctx);
    if (before && ctx.monotonicMs() - before.at_ms < oldest_ms) return before.listing;
    const listing = await load(ctx, call);
    if (listing) kept.set(ctx, { listing, at_ms: ctx.monotonicMs() });
    return listing;
  };
}
