import { AsyncLocalStorage } from 'node:async_hooks';

/** Who asked. Names come from clients. */
export type Origin = Readonly<{
  /** A tool, a resource, a prompt, or the word of a command line. */
  request: string;
  client: Readonly<{ name: string; version: string }> | null;
}>;

/** Follows a request through queues and awaits, to the programs that it starts. */
const origins = new AsyncLocalStorage<Origin>();

export const within = <T>(origin: Origin, work: () => T): T => origins.run(origin, work);

/** Null for what the server does by itself. */
export const currentOrigin = (): Origin | null => origins.getStore() ?? null;
