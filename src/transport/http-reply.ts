import type { ServerResponse } from 'node:http';

/** An answer on its way. `isFull`: the client has not taken what was sent before. */
export type Reply = Readonly<{ isFull(): boolean; done: Promise<void> }>;

/** A client that opens a stream waits so long for its head, where there is no news. */
const head_ms = 20;

/**
 * Sends an answer of the SDK's as fast as the client takes it. A client that takes nothing for
 * `stall_ms` is disconnected, so that nothing piles up for it.
 */
export function sendReply(
  response: Response,
  out: ServerResponse,
  stall_ms: number,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  let full = false;
  const taken = (event: 'drain' | 'finish'): Promise<void> =>
    new Promise((resolve) => {
      full = true;
      const timer = setTimeout(() => out.destroy(), stall_ms);
      const end = (): void => {
        clearTimeout(timer);
        out.off(event, end);
        out.off('close', end);
        full = false;
        resolve();
      };
      out.once(event, end);
      out.once('close', end);
    });

  async function send(): Promise<void> {
    // A connection-specific header of the SDK's is Node's business.
    const own = [...response.headers].filter(([name]) => name !== 'connection');
    out.writeHead(response.status, { ...Object.fromEntries(own), ...headers });
    // An answer that comes soon goes out in one piece with its head.
    const flush = setTimeout(() => out.flushHeaders(), head_ms);
    const reader = response.body?.getReader();
    const cancel = (): void => void reader?.cancel().catch(() => {});
    out.once('close', cancel);
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      clearTimeout(flush);
      if (done || out.destroyed) break;
      if (!out.write(value)) await taken('drain');
    }
    out.off('close', cancel);
    out.end();
    if (!out.writableFinished && !out.destroyed) await taken('finish');
  }

  return { isFull: () => full, done: send() };
}
