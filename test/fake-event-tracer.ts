import { tracingObstacle } from '../src/collectors/bpftrace-tracer.ts';
import type { EventCapability, EventFilter, EventTracer } from '../src/collectors/event-tracer.ts';
import type { Call, Context } from '../src/context.ts';

/** A kernel program of which a test decides what it prints, what it loses and when it dies. */
export type FakeTracer = EventTracer &
  Readonly<{
    filter: EventFilter;
    controls: readonly string[];
    /** So many records as one piece of output. */
    print(...records: readonly string[]): void;
    printBytes(text: string): void;
    /** The kernel made so many more that bpftrace could not take. Untold: only the sum at the end shows it. */
    lose(count: number, how?: 'told' | 'untold'): void;
    die(): void;
  }>;

/** Every program that was started, the newest last. */
export const tracers: FakeTracer[] = [];

/** What the next start throws. */
export const refusal: { error: Error | null } = { error: null };

// biome-ignore lint/suspicious/useAwait: it stands in for a function that waits
export async function startEventTracer(
  _ctx: Context,
  filter: EventFilter,
  onBytes: (bytes: Buffer) => void,
  _call: Call,
): Promise<EventTracer> {
  if (refusal.error) throw refusal.error;
  const controls: string[] = [];
  let made = 0;
  let told = 0;
  let ended = false;
  let resolve = (): void => {};
  const finished = new Promise<void>((settle) => {
    resolve = settle;
  });
  const end = (): void => {
    ended = true;
    resolve();
  };
  const printBytes = (text: string): void => {
    made += text.split('\n').filter((line) => /^[a-z]/.test(line)).length;
    onBytes(Buffer.from(text));
  };
  const tracer: FakeTracer = {
    pid: 4_000_000 + tracers.length,
    attached: ['tracepoint:sched:sched_switch'],
    filter,
    controls,
    control: (line) => controls.push(line),
    seen: () => made,
    lost: () => told,
    stop() {
      end();
      return finished;
    },
    ended: () => ended,
    finished,
    printBytes,
    print: (...records) => printBytes(records.map((each) => `${each}\n`).join('')),
    lose(count, how = 'told') {
      made += count;
      if (how === 'told') told += count;
    },
    die: end,
  };
  tracers.push(tracer);
  return tracer;
}

/** A host that has every type but two, if it lets anybody trace. */
export async function eventCapabilities(ctx: Context): Promise<readonly EventCapability[]> {
  const { eventTypes } = await import('../parsers/stream/stream.ts');
  const obstacle = tracingObstacle(ctx, 'events');
  return eventTypes.map((type) => {
    const own = /^(?:trace|system|sched_stats|scheduler)/.test(type);
    const missing = type === 'ipi' || type === 'mango_app' ? `no ${type} here` : null;
    const reason = missing ?? (own ? null : (obstacle?.reason ?? null));
    return { type, available: reason === null, source: 'bpftrace', reason, fix: null };
  });
}
