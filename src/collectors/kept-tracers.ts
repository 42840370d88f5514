import type { Context } from '../context.ts';

/** Nothing stays attached for readers who have gone. */
const idle_ms = 30_000;

type Keepable = Readonly<{ stop(): Promise<void>; ended(): boolean }>;

/**
 * Tracers that a daemon keeps for the next read, because attaching takes longer than measuring: half
 * a minute without one, and they go. Otherwise each is there for one read alone.
 */
export function keptTracers<T extends Keepable>() {
  const kept = new WeakMap<Context, Readonly<{ tracer: T; idle: NodeJS.Timeout }>>();

  return {
    /** The one that the last read left, if it still runs. It is the caller's until `leave`. */
    take(ctx: Context): T | undefined {
      const found = kept.get(ctx);
      kept.delete(ctx);
      clearTimeout(found?.idle);
      return found?.tracer.ended() ? undefined : found?.tracer;
    },
    async leave(ctx: Context, tracer: T): Promise<void> {
      if (!ctx.settings.daemon || tracer.ended()) return await tracer.stop();
      const idle = setTimeout(() => {
        kept.delete(ctx);
        void tracer.stop();
      }, idle_ms);
      kept.set(ctx, { tracer, idle: idle.unref() });
    },
  };
}
