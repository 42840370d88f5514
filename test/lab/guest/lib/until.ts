import { setTimeout as pause } from 'node:timers/promises';

type Waited<T> = Readonly<{ value: T; after_ms: number }>;

/** Asks again and again until the answer is as wanted; rejects after `limit_ms` with the last one. */
export async function until<T>(
  ask: () => T | Promise<T>,
  isWanted: (value: T) => boolean,
  limit_ms = 10_000,
): Promise<Waited<T>> {
  const start = performance.now();
  for (;;) {
    const value = await ask();
    const after_ms = performance.now() - start;
    if (isWanted(value)) return { value, after_ms };
    if (after_ms > limit_ms) {
      throw new Error(`not so within ${limit_ms} ms, but ${JSON.stringify(value)}`);
    }
    await pause(20);
  }
}
