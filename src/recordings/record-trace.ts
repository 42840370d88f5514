import type { EventType } from '../../parsers/stream/stream.ts';
import { cpu_root, readCpuList } from '../collectors/cpu-files.ts';
import { eventCapabilities } from '../collectors/event-tracer.ts';
import { asUnavailable } from '../collectors/event-types.ts';
import { kernelFacts } from '../collectors/kernel-facts.ts';
import { refuseUntraceable } from '../collectors/trace-refusal.ts';
import { tracedProcess } from '../collectors/traced-process.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Reading, Unavailable } from '../reading.ts';
import type { CaptureDraft } from '../store/capture-store.ts';
import { type CallstackSamples, type SampleCounts, sampleCallstacks } from './callstack-samples.ts';
import { recordEvents } from './record-events.ts';
import type { RecordingFigures } from './recording-figures.ts';
import { latest_ns, recordingSession } from './recording-session.ts';
import { recordingInWords, recordingWarnings } from './recording-words.ts';
import { type TraceClock, traceClock } from './trace-clock.ts';

export const recording_kind = 'recording';
export const trace_file = 'trace.pftrace';
export const facts_file = 'recording.json';

export type RecordRequest = Readonly<{
  duration_seconds: number;
  /** A process whose wakeups alone are kept. Switches are those of all: who ran instead matters. */
  pid: number | null;
  /** Call stacks per second and CPU; null for none. */
  sample_hz: number | null;
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
  /** Call stacks in the trace; null where none were asked for, or could be taken. */
  stack_samples: SampleCounts | null;
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

const recording = new WeakSet<Context>();

/**
 * Records what the scheduler does for a while into a trace of Perfetto, which is kept. Everything
 * that runs is in it, bpftrace and this server too. PROFILER_BUSY while another one is made;
 * NOT_ALLOWED, TOOL_NOT_FOUND, CAPABILITY_MISSING or FEATURE_UNAVAILABLE where nothing can be recorded;
 * EXECUTION_FAILED without room on the disk.
 */
export async function recordTrace(
  ctx: Context,
  request: RecordRequest,
  call: Call,
): Promise<Reading<Recording>> {
  refuseUntraceable(ctx, { pid: request.pid !== null });
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
  const pid = request.pid === null ? null : tracedProcess(ctx, request.pid).pid;
  const all = await eventCapabilities(ctx, call);
  const missing = all.filter(({ type, available }) => wanted.includes(type) && !available);
  const fatal = missing.find(({ type }) => needed.has(type));
  if (fatal) throw notPossible(fatal.reason ?? `There is no ${fatal.type}.`, fatal.fix);
  const sampling = await startSampling(ctx, request, pid, call);
  const samples = sampling !== null && 'stop' in sampling ? sampling : null;
  const types = wanted.filter((type) => missing.every((each) => each.type !== type));
  try {
    const { attached, clock, late_ms, ...facts } = await taken(
      ctx,
      { types, duration_ms: request.duration_seconds * 1000, pid, draft, samples },
      call,
    );
    const isCut = late_ms > latest_ns / 1e6;
    const title = `${facts.switches} switches in ${facts.duration_ms} ms`;
    const manifest = await draft.keep(title, {
      [facts_file]: JSON.stringify({ ...facts, attached }),
    });
    const path = ctx.captures.path(recording_kind, manifest.id, trace_file) ?? '';
    const { id: recording_id, bytes } = manifest;
    const data: Recording = { recording_id, path, bytes, ...facts, open_with: openWith(path) };
    return {
      data,
      source: samples === null ? 'bpftrace, /proc' : 'bpftrace, perf, /proc',
      summary: recordingInWords(data),
      window_ms: facts.duration_ms,
      lost_events: facts.lost_events,
      unavailable: [
        ...missing.map(asUnavailable),
        ...(sampling !== null && 'what' in sampling ? [sampling] : []),
      ],
      ...(facts.ended === 'time' && !isCut
        ? {}
        : { truncated: true, next: 'record_trace with pid or a shorter duration_seconds' }),
      warnings: [
        ...recordingWarnings(facts, clock, most_bytes, onlineCpus(ctx)),
        ...(isCut ? [`bpftrace did not keep up: the last ${late_ms} ms are not in it.`] : []),
      ],
      links: [{ uri: recordingUri(recording_id), name: title, mimeType: 'application/json' }],
    };
  } finally {
    await samples?.end();
  }
}

const startSampling = (
  ctx: Context,
  { sample_hz: rate_hz, duration_seconds }: RecordRequest,
  pid: number | null,
  call: Call,
): Promise<CallstackSamples | Unavailable> | null =>
  rate_hz === null
    ? null
    : sampleCallstacks(ctx, { rate_hz, pid, duration_ms: duration_seconds * 1000 }, call);

type Plan = Readonly<{
  types: readonly EventType[];
  duration_ms: number;
  pid: number | null;
  draft: CaptureDraft;
  samples: CallstackSamples | null;
}>;

/** Writes the trace, and says what is in it. */
async function taken(ctx: Context, plan: Plan, call: Call) {
  const { types, duration_ms, pid, draft, samples } = plan;
  const clock = traceClock(ctx);
  const session = recordingSession(ctx, clock, draft, pid);
  const isFull = (): boolean => draft.bytes() >= most_bytes;
  const over = (): void => {
    session.over();
    samples?.stop();
  };
  const wish = { types, duration_ms, ...session, over, isFull };
  const { lost, unreadable, ended, attached } = await recordEvents(ctx, wish, call);
  const { from_ns, to_ns, figures, late_ms } = session.finish();
  const offset_ns = clock.suspended_ns;
  const into = { from_ns, to_ns, offset_ns, write: draft.append, isFull };
  return {
    duration_ms: Math.round((to_ns - from_ns) / 1e6),
    from_ns,
    to_ns,
    kernel_clock: clock.kernel_clock,
    kernel: kernelFacts(ctx).release.value,
    pid,
    lost_events: lost + unreadable,
    ended,
    stack_samples: (await samples?.read(into)) ?? null,
    ...figures,
    attached,
    clock,
    late_ms,
  };
}

const onlineCpus = ({ files }: Context): number | null =>
  readCpuList(files, `${cpu_root}/online`)?.length ?? null;

const recordingUri = (id: string): string => `captures://recording?id=${id}`;

export const openWith = (path: string): string =>
  `https://ui.perfetto.dev (Open trace file; it stays in the browser), or trace_processor_shell ${path}`;

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
