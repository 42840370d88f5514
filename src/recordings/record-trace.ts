import { programs } from '../../allowlist/programs.ts';
import type { EventType, StreamEvent } from '../../parsers/stream/stream.ts';
import { eventCapabilities } from '../collectors/event-tracer.ts';
import { asUnavailable } from '../collectors/event-types.ts';
import { kernelFacts } from '../collectors/kernel-facts.ts';
import { tracedProcess } from '../collectors/traced-process.ts';
import { bpfObstacle } from '../collectors/tracing-obstacles.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Reading } from '../reading.ts';
import type { CaptureDraft } from '../store/capture-store.ts';
import { describeProcess } from './describe-process.ts';
import { eventOrder } from './event-order.ts';
import { hostSamples } from './host-samples.ts';
import { perfettoTrace } from './perfetto/perfetto-trace.ts';
import { recordEvents } from './record-events.ts';
import { figuresOf, type RecordingFigures } from './recording-figures.ts';
import { recordingInWords } from './recording-words.ts';
import { type TraceClock, traceClock } from './trace-clock.ts';

export const recording_kind = 'recording';
export const trace_file = 'trace.pftrace';
export const facts_file = 'recording.json';

export type RecordRequest = Readonly<{
  duration_seconds: number;
  /** A process whose wakeups alone are kept. Switches are those of all: who ran instead matters. */
  pid: number | null;
}>;

/** What a recording is; the manifest beside the trace has the same. */
export type Recording = Readonly<{
  recording_id: string;
  path: string;
  bytes: number;
  duration_ms: number;
  /** On the clock of the trace, which is CLOCK_BOOTTIME. */
  from_ns: number;
  to_ns: number;
  /** What the kernel stamped its events with. */
  kernel_clock: TraceClock['kernel_clock'];
  kernel: string | null;
  pid: number | null;
  lost_events: number;
  ended: 'time' | 'full' | 'tracer';
  open_with: string;
}> &
  RecordingFigures;

const wanted: readonly EventType[] = [
  'sched_switch',
  'sched_waking',
  'sched_wakeup_new',
  'sched_migrate_task',
  'fork',
  'exec',
  'exit',
  'softirq',
];
/** Without these there is no recording of a scheduler. */
const needed: ReadonlySet<EventType> = new Set(['sched_switch', 'sched_waking']);
/** Some 5 million switches; what a browser still opens. */
const most_bytes = 128 * 1024 * 1024;

/** A record arrives at most two turns of the buffers after those that overtook it (buffer.bt). */
const latest_ns = 300_000_000;
/** Events that may gather before the oldest of them are written. */
const most_waiting = 16_384;

const recording = new WeakSet<Context>();

/**
 * Records what the scheduler does for a while into a trace of Perfetto, which is kept. Everything
 * that runs is in it, bpftrace and this server too. PROFILER_BUSY while another one is made;
 * FEATURE_UNAVAILABLE where nothing can be recorded; EXECUTION_FAILED without room on the disk.
 */
export async function recordTrace(
  ctx: Context,
  request: RecordRequest,
  call: Call,
): Promise<Reading<Recording>> {
  const obstacle = bpfObstacle(ctx, programs.bpftrace, { pid: request.pid !== null });
  if (obstacle) throw notPossible(obstacle.reason, obstacle.fix);
  if (recording.has(ctx)) throw busy();
  recording.add(ctx);
  const draft = ctx.captures.begin(recording_kind, trace_file);
  try {
    return await record(ctx, request, draft, call);
  } catch (thrown) {
    draft.drop();
    throw thrown;
  } finally {
    recording.delete(ctx);
  }
}

async function record(
  ctx: Context,
  request: RecordRequest,
  draft: CaptureDraft,
  call: Call,
): Promise<Reading<Recording>> {
  const focus = request.pid === null ? null : tracedProcess(ctx, request.pid);
  const all = await eventCapabilities(ctx, call);
  const missing = all.filter(({ type, available }) => wanted.includes(type) && !available);
  const fatal = missing.find(({ type }) => needed.has(type));
  if (fatal) throw notPossible(fatal.reason ?? `There is no ${fatal.type}.`, fatal.fix);
  const clock = traceClock(ctx);
  const session = recordingSession(ctx, clock, draft, focus?.pid ?? null);
  const { lost, unreadable, ended, attached } = await recordEvents(
    ctx,
    {
      types: wanted.filter((type) => missing.every((each) => each.type !== type)),
      duration_ms: request.duration_seconds * 1000,
      ...session,
      isFull: () => draft.bytes() >= most_bytes,
    },
    call,
  );
  const { from_ns, to_ns, figures, late_ms } = session.finish();
  const isCut = late_ms > latest_ns / 1e6;
  const facts = {
    duration_ms: Math.round((to_ns - from_ns) / 1e6),
    from_ns,
    to_ns,
    kernel_clock: clock.kernel_clock,
    kernel: kernelFacts(ctx).release.value,
    pid: focus?.pid ?? null,
    lost_events: lost + unreadable,
    ended,
    ...figures,
  };
  const title = `${facts.switches} switches in ${facts.duration_ms} ms`;
  const manifest = draft.keep(title, { [facts_file]: JSON.stringify({ ...facts, attached }) });
  const path = ctx.captures.path(recording_kind, manifest.id, trace_file) ?? '';
  const data: Recording = {
    recording_id: manifest.id,
    path,
    bytes: manifest.bytes,
    ...facts,
    open_with: openWith(path),
  };
  return {
    data,
    source: 'bpftrace, /proc',
    summary: recordingInWords(data),
    window_ms: facts.duration_ms,
    lost_events: facts.lost_events,
    unavailable: missing.map(asUnavailable),
    ...(ended === 'time' && !isCut ? {} : { truncated: true }),
    warnings: [
      ...warnings(facts, clock),
      ...(isCut ? [`bpftrace did not keep up: the last ${late_ms} ms are not in it.`] : []),
    ],
    links: [{ uri: recordingUri(manifest.id), name: title, mimeType: 'application/json' }],
  };
}

const recordingUri = (id: string): string => `captures://recording?id=${id}`;

export const openWith = (path: string): string =>
  `https://ui.perfetto.dev (Open trace file; it stays in the browser), or trace_processor_shell ${path}`;

/** What becomes of events and of time, between the first probe and the last byte. */
function recordingSession(
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

function warnings(
  { lost_events, gaps, ended }: Readonly<Pick<Recording, 'lost_events' | 'gaps' | 'ended'>>,
  { suspended_ns, kernel_clock }: TraceClock,
): string[] {
  return [
    ...(lost_events === 0
      ? []
      : [
          `${lost_events} events were lost between the kernel and bpftrace: a slice may stand for several.`,
        ]),
    ...(gaps === 0
      ? []
      : [
          `At ${gaps} places the kernel told nothing of some switches, see "Missing switches" in the trace: the task before such a place did not run up to its end.`,
        ]),
    ...(ended === 'full' ? [`It ended early: a recording has at most ${most_bytes} bytes.`] : []),
    ...(ended === 'tracer' ? ['It ended early: bpftrace ended by itself.'] : []),
    ...(suspended_ns === 0 || kernel_clock === 'CLOCK_BOOTTIME'
      ? []
      : ['The machine was suspended before: times since boot are right to 20 ms.']),
  ];
}

function notPossible(reason: string, fix: string | null): TracewrightError {
  return new TracewrightError(
    'FEATURE_UNAVAILABLE',
    `Nothing can be recorded here: ${reason}`,
    fix ?? 'perf_snapshot and the stats:// resources need no tracer.',
  );
}

const busy = (): TracewrightError =>
  new TracewrightError(
    'PROFILER_BUSY',
    'Another recording is being made.',
    'Wait for its end, 60 s at most.',
  );
