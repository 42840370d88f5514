import type { StreamEvent } from '../../parsers/stream/stream.ts';

/** Puts the events of each CPU into the order of time. */
export type EventOrder = Readonly<{
  add(event: StreamEvent, ts: number): void;
  /** Hands on what happened up to then: nothing older comes any more. */
  release(until_ns: number): void;
}>;

type Waiting = { events: Readonly<{ event: StreamEvent; ts: number }>[]; isSorted: boolean };

/**
 * Records wait in buffers of their CPU, and the few that cannot are printed at once (buffer.bt): they
 * overtake the others. What a CPU did is told in one order only, so they wait here for the others.
 */
export function eventOrder(deliver: (event: StreamEvent, ts: number) => void): EventOrder {
  const cpus = new Map<number | null, Waiting>();

  function releaseOf(waiting: Waiting, until_ns: number): void {
    const { events } = waiting;
    if (!waiting.isSorted) events.sort((a, b) => a.ts - b.ts);
    waiting.isSorted = true;
    const kept = events.findIndex(({ ts }) => ts > until_ns);
    for (const { event, ts } of events.splice(0, kept < 0 ? events.length : kept)) {
      deliver(event, ts);
    }
  }

  return {
    add(event, ts) {
      const waiting = cpus.get(event.cpu) ?? { events: [], isSorted: true };
      cpus.set(event.cpu, waiting);
      const last = waiting.events.at(-1);
      if (last && last.ts > ts) waiting.isSorted = false;
      waiting.events.push({ event, ts });
    },
    release(until_ns) {
      for (const waiting of cpus.values()) releaseOf(waiting, until_ns);
    },
  };
}
