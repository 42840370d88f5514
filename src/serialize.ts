const tails = new Map<string, Promise<unknown>>();

/**
 * Runs the work of one queue strictly in the order of the calls. Requests arrive concurrently: a
 * start, a stop and a read of results that a client sends at once must not race.
 */
export function inTurn<T>(queue: string | undefined, work: () => Promise<T>): Promise<T> {
  if (queue === undefined) return work();
  const turn = (tails.get(queue) ?? Promise.resolve()).then(work, work);
  tails.set(queue, turn);
  return turn;
}
