import { parseStreamRecord, type StreamEvent } from '../../parsers/stream/stream.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import type { EventRing } from './event-ring.ts';
import { type EventFilter, type EventTracer, startEventTracer } from './event-tracer.ts';

/** Where the output of a run goes. */
export type RunSink = Readonly<{
  ring: EventRing;
  /** Whom the ring is to give lines that are no records. */
  controls(take: (line: string) => void): void;
  /** Something conspicuous that the kernel program tells. */
  candidate(event: StreamEvent): void;
  /** It died and is started once more; `back` is false until it is there again. */
  interrupted(reason: string, back: boolean): void;
  /** It has ended for good, without having been stopped. */
  failed(reason: string): void;
}>;

/** The kernel program at work, through one restart should it die. */
export type EventRun = Readonly<{
  pid(): number | null;
  attached(): readonly string[];
  /** Records that the kernel program made and we did not get, so far; exact after the end. */
  lost(): number;
  restarts(): number;
  /** Ends it, once what it has printed is in. */
  stop(): Promise<void>;
}>;

const most_restarts = 1;
const died = 'bpftrace ended unexpectedly';
/** A program that nobody stops ends by itself some time after the longest tracking. */
const longest_ms = 3_700_000;

/** Attaches the program; rejects where that fails. */
export async function startRun(
  ctx: Context,
  filter: EventFilter,
  sink: RunSink,
  call: Call,
): Promise<EventRun> {
  const { ring } = sink;
  let tracer: EventTracer | null = null;
  let early: string[] = [];
  let printed_before = ring.printed();
  let candidates = 0;
  let lost_before = 0;
  let restarts = 0;
  let isStopping = false;
  let restarting: Promise<void> = Promise.resolve();

  /** Of the program that runs now. Its own count is exact once it has ended in order. */
  function lostNow(): number {
    if (tracer === null) return 0;
    const received = ring.printed() - printed_before + candidates;
    return Math.max(tracer.lost(), tracer.ended() ? tracer.seen() - received : 0);
  }

  async function begin(by: Call): Promise<EventTracer> {
    early = [];
    printed_before = ring.printed();
    candidates = 0;
    const options = { ...filter, duration_ms: longest_ms };
    const started = await startEventTracer(ctx, options, ring.push, by);
    tracer = started;
    for (const line of early) started.control(line);
    void started.finished.then(() => {
      if (!isStopping && tracer === started) restarting = onEnd();
    });
    return started;
  }

  function settle(): void {
    ring.settle();
    lost_before += lostNow();
    tracer = null;
  }

  async function onEnd(): Promise<void> {
    settle();
    if (restarts >= most_restarts) {
      sink.failed(`${died} again`);
      return;
    }
    restarts += 1;
    sink.interrupted(died, false);
    try {
      const again = await begin(unattended());
      if (isStopping) await again.stop();
      else sink.interrupted(died, true);
    } catch (thrown) {
      if (!isStopping) sink.failed(`${died}, and then: ${toTracewrightError(thrown).message}`);
    }
  }

  sink.controls((line) => {
    const event = /^[a-z]/.test(line) ? parseStreamRecord(line) : null;
    if (event !== null) {
      candidates += 1;
      sink.candidate(event);
    } else if (tracer === null) early.push(line);
    else tracer.control(line);
  });
  await begin(call);
  return {
    pid: () => tracer?.pid ?? null,
    attached: () => tracer?.attached ?? [],
    lost: () => lost_before + lostNow(),
    restarts: () => restarts,
    async stop() {
      isStopping = true;
      await restarting;
      await tracer?.stop();
      settle();
    },
  };
}

/** Nobody waits for a restart, and nobody cancels it. */
const unattended = (): Call => ({ signal: new AbortController().signal, progress: () => {} });
