import { taskWords } from '../../parsers/stream/short-records.ts';
import {
  type EventType,
  parseStreamRecord,
  type StreamEvent,
} from '../../parsers/stream/stream.ts';
import { type EventTracer, startEventTracer } from '../collectors/event-tracer.ts';
import { wholeFilter } from '../collectors/whole-filter.ts';
import type { Call, Context } from '../context.ts';
import { eventLines } from './event-lines.ts';

export type EventRecording = Readonly<{
  /** Why it ended: its time was over, `isFull` said so, or bpftrace ended by itself. */
  ended: 'time' | 'full' | 'tracer';
  /** Records that the kernel made and we did not get. */
  lost: number;
  unreadable: number;
  attached: readonly string[];
}>;

type Wish = Readonly<{
  types: readonly EventType[];
  duration_ms: number;
  /** All probes are attached: from now on nothing is missing. */
  began(): void;
  take(event: StreamEvent): void;
  /** Called several times a second. */
  step(): void;
  isFull(): boolean;
  /** What passes from now on is not wanted any more. */
  over(): void;
  /** Whether something came that happened after that: bpftrace lags behind on a busy machine. */
  isThrough(): boolean;
}>;

const poll_ms = 25;
const step_ms = 250;
/** How long the rest may be waited for. */
const most_lag_ms = 5000;
/** A tracer that nobody stops any more ends by itself. */
const grace_ms = 30_000;

/**
 * Everything that happens of these types for so long, event by event as it comes. What `take` or
 * `step` throws ends the recording and is thrown on, as is a cancellation.
 */
export async function recordEvents(ctx: Context, wish: Wish, call: Call): Promise<EventRecording> {
  const control: string[] = [];
  const tasks = taskWords();
  let tracer: EventTracer | null = null;
  let received = 0;
  let unreadable = 0;
  let failure: { thrown: unknown } | null = null;

  function record(line: string): void {
    received += 1;
    const event = parseStreamRecord(tasks.expand(line));
    if (event === null) unreadable += 1;
    else if (failure === null) attempt(() => wish.take(event));
  }

  /** The output comes in a callback of a stream: what is thrown there would end the server. */
  function attempt(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      failure = { thrown };
    }
  }

  const push = eventLines(record, (line) => {
    if (tasks.learn(line)) return;
    if (tracer === null) control.push(line);
    else tracer.control(line);
  });
  const filter = {
    ...wholeFilter(wish.types),
    with_own: true,
    duration_ms: wish.duration_ms + grace_ms,
  };
  const started = await startEventTracer(ctx, filter, push, call);
  tracer = started;
  for (const line of control) started.control(line);
  try {
    wish.began();
    call.progress('recording');
    const ended = await wait();
    wish.over();
    call.progress('reading what is left');
    await rest();
    await started.stop();
    if (failure !== null) throw (failure as { thrown: unknown }).thrown;
    const lost = Math.max(started.lost(), started.seen() - received, 0);
    return { ended, lost, unreadable, attached: started.attached };
  } finally {
    if (!started.ended()) await started.stop();
  }

  async function rest(): Promise<void> {
    const until_ms = ctx.monotonicMs() + most_lag_ms;
    while (failure === null && !started.ended() && !wish.isThrough()) {
      if (ctx.monotonicMs() >= until_ms) return;
      await ctx.sleep(poll_ms, call.signal);
    }
  }

  async function wait(): Promise<EventRecording['ended']> {
    const until_ms = ctx.monotonicMs() + wish.duration_ms;
    let step_at_ms = ctx.monotonicMs() + step_ms;
    for (;;) {
      const now_ms = ctx.monotonicMs();
      if (failure !== null || now_ms >= until_ms) return 'time';
      if (wish.isFull()) return 'full';
      if (started.ended()) return 'tracer';
      if (now_ms >= step_at_ms) {
        attempt(wish.step);
        step_at_ms = now_ms + step_ms;
      }
      await ctx.sleep(Math.min(poll_ms, until_ms - now_ms), call.signal);
    }
  }
}
