import { type PerfEvent, perfRecord } from '../../allowlist/perf-record.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Reading } from '../reading.ts';
import { profilerBusy, secondsBusy } from './bounded-trace.ts';
import { no_counts, type Recorder, startRecorder } from './perf-recorder.ts';
import { mayMeasureAll, perfRefusal } from './perf-refusals.ts';
import { cpu_clock, eventName, parseProfileEvent } from './profile-event.ts';
import {
  openSession,
  type ProfileConfig,
  recording_file,
  type Session,
  stopSession,
} from './profile-session.ts';
import { type ProfileStatus, secondsLeft, statusReading } from './profile-status.ts';
import { checkRate, type ProfileTarget, profileTarget } from './profile-target.ts';
import { locateTracefs } from './tracefs.ts';

const max_duration_s = 600;
const max_bytes = 256 * 1024 * 1024;

/** What perf_cpu_profile and this profiler are to each other: one of them at a time. */
export const profile_kind = 'CPU profile';

const sessions = new WeakMap<Context, Session>();

export const currentSession = (ctx: Context): Session | null => sessions.get(ctx) ?? null;

/**
 * Starts a profile and returns once perf samples. It ends by itself. `freq` in Hz (tracepoints:
 * every event), `cpu` and `pid` -1 for all. One at a time: PROFILER_BUSY says for how long.
 * Source: perf record.
 */
export async function startProfiling(
  ctx: Context,
  wanted: ProfileConfig,
  call: Call,
): Promise<Reading<ProfileStatus>> {
  const before = currentSession(ctx);
  if (before?.duration_ms === null) throw busy(ctx, before);
  const other_s = secondsBusy(ctx, profile_kind);
  if (other_s !== null) throw profilerBusy(profile_kind, other_s);
  const choice = parseProfileEvent(wanted.event);
  const every_event = choice.event.kind === 'tracepoint';
  if (!every_event) checkRate(ctx, wanted);
  const target = profileTarget(ctx, wanted);
  if (before) await settled(before, call.signal);
  const { recorder, event, notes } = await record(
    ctx,
    { wanted, target, event: choice.event },
    call,
  );
  const plan = {
    config: { ...wanted, event: eventName(event) },
    target,
    requested_event: wanted.event,
    every_event,
    user_only: recorder.opened?.exclude_kernel ?? false,
    notes: [...choice.notes, ...notes, ...remarks(event, recorder)],
    limit_ms: (wanted.duration_secs || max_duration_s) * 1000,
    recorder,
  };
  const session = openSession(ctx, plan, no_counts);
  sessions.set(ctx, session);
  return await statusReading(ctx, session);
}

/** Ends the profile and reads it. One that had ended by itself answers with how it ended. */
export async function stopProfiling(ctx: Context, call: Call): Promise<Reading<ProfileStatus>> {
  const session = currentSession(ctx);
  if (session === null) throw nothingStarted();
  const had_ended = session.duration_ms !== null;
  stopSession(ctx, session, 'request');
  call.progress('reading the recording');
  await settled(session, call.signal);
  if (session.outcome && 'failure' in session.outcome) throw session.outcome.failure;
  const reading = await statusReading(ctx, session);
  if (!had_ended) return reading;
  return { ...reading, summary: ['It had already ended by itself.', ...reading.summary] };
}

export const profilingStatus = (ctx: Context): Promise<Reading<ProfileStatus>> =>
  statusReading(ctx, currentSession(ctx));

/** Waits until a recording is read; the signal ends the wait, not the reading. */
export async function settled(session: Session, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let cancel = (): void => {};
  const canceled = new Promise<never>((_resolve, reject) => {
    cancel = () => reject(signal.reason);
  });
  signal.addEventListener('abort', cancel, { once: true });
  try {
    await Promise.race([session.done, canceled]);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

type Recording = Readonly<{ wanted: ProfileConfig; target: ProfileTarget; event: PerfEvent }>;
type Begun = Readonly<{ recorder: Recorder; event: PerfEvent; notes: readonly string[] }>;

/** Hardware counters are missing in most virtual machines: the clock takes their place, and says so. */
async function record(ctx: Context, recording: Recording, call: Call): Promise<Begun> {
  try {
    const recorder = await recordEvent(ctx, recording, call);
    const { event } = recording;
    const clockInstead = event.kind === 'hw' && recorder.opened?.type === 1;
    if (!clockInstead) return { recorder, event, notes: [] };
    return { recorder, event: cpu_clock, notes: [replaced(event)] };
  } catch (error) {
    const { event } = recording;
    const missing = error instanceof TracewrightError && error.code === 'FEATURE_UNAVAILABLE';
    if (event.kind !== 'hw' || !missing) throw error;
    const recorder = await recordEvent(ctx, { ...recording, event: cpu_clock }, call);
    return { recorder, event: cpu_clock, notes: [replaced(event)] };
  }
}

async function recordEvent(ctx: Context, recording: Recording, call: Call): Promise<Recorder> {
  const { wanted, target, event } = recording;
  const isTracepoint = event.kind === 'tracepoint';
  const paranoid = ctx.files.number('/proc/sys/kernel/perf_event_paranoid') ?? 2;
  const command = perfRecord({
    event,
    user_only: target.scope === 'pid' && paranoid >= 2 && !mayMeasureAll(ctx),
    rate: isTracepoint ? { period: 1 } : { freq_hz: wanted.freq },
    target,
    callgraph: 'fp',
    output: ctx.scratch.path(recording_file),
    max_bytes,
    duration_ms: (wanted.duration_secs || max_duration_s) * 1000,
    private_mounts: isTracepoint && locateTracefs(ctx).path === null,
  });
  const started = await startRecorder(ctx, command, recording_file, call);
  if ('recorder' in started) return started.recorder;
  const { stderr } = started.refused;
  throw perfRefusal(ctx, { stderr, event: eventName(event), isTracepoint, target });
}

const replaced = (event: PerfEvent): string =>
  `This machine has no counter ${eventName(event)}: sw:cpu-clock is sampled instead, which counts time.`;

/** Events whose samples each stand for the same time. */
const clocks: ReadonlySet<string> = new Set(['cpu-clock', 'task-clock']);

function remarks(event: PerfEvent, { opened }: Recorder): string[] {
  const notes: string[] = [];
  if (event.kind === 'tracepoint') {
    notes.push('Every event is recorded with its stack; freq is not used.');
  } else if (event.kind === 'sw' && !clocks.has(event.name)) {
    notes.push('perf adapts the period of this event: shares are of samples, not of events.');
  }
  if (opened?.exclude_kernel) {
    notes.push('User space only: kernel.perf_event_paranoid leaves the kernel out for this user.');
  }
  return notes;
}

function busy(ctx: Context, session: Session): TracewrightError {
  const left = secondsLeft(ctx, session);
  return new TracewrightError(
    'PROFILER_BUSY',
    `A profile is running; it ends in ${left} s at the latest.`,
    'Wait, or end it with stop_perf_profiling.',
  );
}

const nothingStarted = (): TracewrightError =>
  new TracewrightError(
    'INVALID_PARAMS',
    'There is no profile to stop: none was started.',
    'Start one with start_perf_profiling, for example with duration_secs=10.',
  );
