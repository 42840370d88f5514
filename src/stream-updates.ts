import { joinStream, leaveStream } from './collectors/event-holders.ts';
import { eventSession } from './collectors/event-session.ts';
import { stream_uri } from './collectors/event-types.ts';
import type { Context } from './context.ts';
import { TracewrightError } from './errors.ts';
import { streamTypes } from './resources/events-stream.ts';
import type { Subscriptions, UpdateSink } from './subscriptions.ts';

type Held = Readonly<{ uri: string }>;

/** At most ten notices a second for each URI. */
const interval_ms = 100;

/**
 * Until the next notice of one client, where so many listen: all of them together are told a hundred
 * times a second and, by chance, not all at once, so that others need not wait for their notices.
 */
export function noticeInterval(listening: number, chance: number): number {
  const mean_ms = Math.max(interval_ms, listening * 10);
  return interval_ms + 2 * chance * (mean_ms - interval_ms);
}

/** Subscriptions to events://stream: tracking goes on while there is one, and each is told of news. */
export function streamUpdates(ctx: Context, sink: UpdateSink): Subscriptions {
  const { listeners } = eventSession(ctx);
  /** Those that hold the stream, by the key of their subscription. */
  const open = new Map<string, readonly Held[]>();
  let next_ms = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  function arm(ms: number): void {
    timer ??= setTimeout(tellNow, ms).unref();
  }

  function tellNow(): void {
    timer = undefined;
    if (sink.isFull()) {
      arm(interval_ms);
      return;
    }
    next_ms = ctx.monotonicMs() + noticeInterval(listeners.size, Math.random());
    for (const uri of new Set([...open.values()].flat().map((each) => each.uri))) {
      // A client that went away is the transport's business.
      sink.updated(uri).catch(() => {});
    }
  }

  const onNews = (): void => {
    if (timer === undefined) arm(Math.max(0, next_ms - ctx.monotonicMs()));
  };

  async function close(key: string): Promise<void> {
    const held = open.get(key) ?? [];
    open.delete(key);
    if (open.size === 0) {
      listeners.delete(onNews);
      clearTimeout(timer);
      timer = undefined;
    }
    for (const each of held) await leaveStream(ctx, each);
  }

  return {
    async open(key, uri, call) {
      mustBeStream(ctx, uri);
      const before = open.get(key) ?? [];
      if (before.some((each) => each.uri === uri)) return;
      const held = { uri };
      open.set(key, [...before, held]);
      listeners.add(onNews);
      try {
        await joinStream(ctx, held, streamTypes(uri), call);
      } catch (thrown) {
        await close(key);
        throw thrown;
      }
      // Closed while it was being attached.
      if (!open.get(key)?.includes(held)) await leaveStream(ctx, held);
    },
    close,
    async closeAll() {
      for (const key of open.keys()) await close(key);
    },
  };
}

function mustBeStream({ settings }: Context, uri: string): void {
  if (uri.split('?', 1)[0] !== stream_uri) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      `${uri.slice(0, 80)} cannot be subscribed to: it changes all the time.`,
      `Read it when you need it; only ${stream_uri} has subscriptions.`,
    );
  }
  if (!settings.daemon) {
    throw new TracewrightError(
      'FEATURE_UNAVAILABLE',
      `${stream_uri} is there in daemon mode only.`,
      'Start the server with `tracewright mcp --daemon`.',
    );
  }
}
