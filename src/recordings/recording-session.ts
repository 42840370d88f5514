import type { EventType, StreamEvent } from '../../parsers/stream/stream.ts';
import { kernelFacts } from '../collectors/kernel-facts.ts';
import type { Context } from '../context.ts';
import type { CaptureDraft } from '../store/capture-store.ts';
import { describeProcess } from './describe-process.ts';
import { eventOrder } from './event-order.ts';
import { hostSamples } from './host-samples.ts';
import { perfettoTrace } from './perfetto/perfetto-trace.ts';
import { figuresOf } from './recording-figures.ts';
import type { TraceClock } from './trace-clock.ts';

/** A record arrives at most two turns of the buffers after those that overtook it (buffer.bt). */
export const latest_ns = 300_000_000;
/** Events that may gather before the oldest of them are written. */
const most_waiting = 16_384;

/** What becomes of events and of time, between the first probe and the last byte. */
export function recordingSession(
  ctx: Context,
  clock: TraceClock,
  draft: CaptureDraft,
  focus: number | null,
) {
  const opened_ns = clock.now_ns();
  const trace = perfettoTrace({
    clocks: { boottime_ns: opened_ns, realtime_ns: ctx.now().getTime() * 1e6 },
    uname: { release: kernelFacts(ctx).release.value ?? '', machine: machine(ctx.arch) },
    start_ns: opened_ns,
    describe: describeProcess(ctx),
    write: draft.append,
  });
  let from_ns = Number.POSITIVE_INFINITY;
  let to_ns = Number.POSITIVE_INFINITY;
  let samples = hostSamples(ctx, trace, opened_ns);
  let figures = figuresOf(opened_ns);
  const order = eventOrder((event, ts) => {
    trace.event(event, ts);
    figures.add(event, ts);
  });
  /** The newest time of all that came, and of what is kept of it. */
  let heard_ns = 0;
  let newest_ns = 0;
  let waiting = 0;
  /** By the time of the events themselves: bpftrace may lag behind. */
  const release = (): void => {
    order.release(newest_ns - latest_ns);
    waiting = 0;
  };
  return {
    began(): void {
      from_ns = clock.now_ns();
      figures = figuresOf(from_ns);
      samples = hostSamples(ctx, trace, from_ns);
    },
    take(event: StreamEvent): void {
      if (event.ts === null) return;
      const ts = clock.ofEvent(event.ts);
      heard_ns = Math.max(heard_ns, ts);
      if (ts < from_ns || ts > to_ns || !isWanted(event, focus)) return;
      order.add(event, ts);
      newest_ns = Math.max(newest_ns, ts);
      waiting += 1;
      if (waiting >= most_waiting) release();
    },
    step(): void {
      release();
      samples.step(clock.now_ns());
      trace.name();
    },
    over(): void {
      to_ns = clock.now_ns();
      samples.step(to_ns);
    },
    isThrough: () => heard_ns >= to_ns,
    finish() {
      order.release(to_ns);
      // What did not come in time is not part of the recording.
      const missing_ns = to_ns - heard_ns;
      if (heard_ns > from_ns && missing_ns > latest_ns) to_ns = heard_ns;
      trace.finish();
      const late_ms = Math.round(Math.max(0, missing_ns) / 1e6);
      return { from_ns, to_ns, figures: figures.result(to_ns), late_ms };
    },
  };
}

/** Processes come, go and change CPUs rarely enough to be kept, and who runs is the point of it. */
const always: ReadonlySet<EventType> = new Set(['sched_switch', 'fork', 'exec', 'exit']);

/** A wakeup is also of the process that causes it. */
function isWanted(event: StreamEvent, focus: number | null): boolean {
  if (focus === null || always.has(event.type)) return true;
  return event['tgid'] === focus || event['waker_tgid'] === focus || event['pid'] === focus;
}

const machine = (arch: string): string =>
  arch === 'x64' ? 'x86_64' : arch === 'arm64' ? 'aarch64' : arch;
