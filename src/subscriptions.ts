import type { Call, Context } from './context.ts';

/** The client's end, for notices that something is new. */
export type UpdateSink = Readonly<{
  updated(uri: string): Promise<void>;
  /** Whether it has not taken yet what was sent before. */
  isFull(): boolean;
}>;

/** The resources that a client watches. A key names a subscription, which may be to several. */
export type Subscriptions = Readonly<{
  /** Rejects where the resource cannot be subscribed to, or nothing of it can be watched here. */
  open(key: string, uri: string, call: Call): Promise<void>;
  close(key: string): Promise<void>;
  /** The client has gone. */
  closeAll(): Promise<void>;
}>;

/** Loaded with the first subscription: a client waits for `initialize`, and most never subscribe. */
export function subscriptions(ctx: Context, sink: UpdateSink): Subscriptions {
  let loading: Promise<Subscriptions> | null = null;
  const loaded = async (): Promise<Subscriptions> => {
    loading ??= import('./stream-updates.ts').then((module) => module.streamUpdates(ctx, sink));
    return await loading;
  };
  return {
    open: async (key, uri, call) => (await loaded()).open(key, uri, call),
    close: async (key) => await (await loading)?.close(key),
    closeAll: async () => await (await loading)?.closeAll(),
  };
}
