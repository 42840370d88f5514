import { type Call, type Context, createContext } from '../src/context.ts';

export const call: Call = { signal: new AbortController().signal, progress: () => undefined };

/** What happens on the host during the first sleep, the second, and so on. */
export type Steps = readonly (() => void)[];

/** A context whose clock moves only by its sleeps: windows are exact and tests do not wait. */
export function steppedContext(root: string, steps: Steps, daemon = false): Context {
  let now_ms = 1_000_000;
  let sleeps = 0;
  return {
    ...createContext({ daemon, readOnly: false }, root),
    monotonicMs: () => now_ms,
    sleep(ms) {
      now_ms += ms;
      steps[sleeps++]?.();
      return Promise.resolve();
    },
  };
}
