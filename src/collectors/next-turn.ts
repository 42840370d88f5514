/** Lets other requests have their turn in a long run of synchronous reads; rejects when canceled. */
export async function nextTurn(signal?: AbortSignal): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  signal?.throwIfAborted();
}
