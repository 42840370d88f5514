import type { PerfDataCounts } from '../../parsers/perf-data/count.ts';
import type { Context } from '../context.ts';
import { type TracewrightError, toTracewrightError } from '../errors.ts';
import type { Finished } from '../exec/start.ts';
import { cpuCapture } from './cpu-capture.ts';
import type { Recorder } from './perf-recorder.ts';
import { type Keeping, tryToKeep } from './profile-captures.ts';
import { type ProfileTarget, targetText } from './profile-target.ts';
import { type RecordedProfile, readRecording } from './recorded-profile.ts';

/** As documented, and as asked for; the event as perf was given it. */
export type ProfileConfig = Readonly<{
  event: string;
  freq: number;
  cpu: number;
  pid: number;
  max_samples: number;
  duration_secs: number;
}>;

export type StoppedBy =
  | 'request'
  | 'duration'
  | 'max_samples'
  /** 600 s or 256 MiB: no profile goes on for ever. */
  | 'time_limit'
  | 'size_limit'
  /** The process that was profiled ended. */
  | 'target_exit'
  | 'killed'
  | 'perf_exit';

export type Outcome = Readonly<
  { recorded: RecordedProfile; keeping: Keeping } | { failure: TracewrightError }
>;

/** One profile, from its start until the next one takes its place. */
export type Session = {
  readonly config: ProfileConfig;
  readonly target: ProfileTarget;
  /** The event asked for, which may be an alias or one that this machine lacks. */
  readonly requested_event: string;
  readonly every_event: boolean;
  readonly user_only: boolean;
  readonly notes: readonly string[];
  readonly started_at: string;
  readonly started_ms: number;
  readonly limit_ms: number;
  readonly recorder: Recorder;
  counts: PerfDataCounts;
  /** Null while it runs. */
  duration_ms: number | null;
  stopped_by: StoppedBy | null;
  outcome: Outcome | null;
  /** Settled when the recording is read and its file is gone. Never rejects. */
  done: Promise<void>;
};

export type SessionPlan = Omit<
  Session,
  'counts' | 'duration_ms' | 'stopped_by' | 'outcome' | 'done' | 'started_at' | 'started_ms'
>;

export const recording_file = 'profile.data';

const poll_ms = 250;

/** Watches over a recording that has just begun: ends it in time, reads it, removes its file. */
export function openSession(ctx: Context, plan: SessionPlan, counts: PerfDataCounts): Session {
  const session: Session = {
    ...plan,
    started_at: ctx.now().toISOString(),
    started_ms: plan.recorder.enabled_ms,
    counts,
    duration_ms: null,
    stopped_by: null,
    outcome: null,
    done: Promise.resolve(),
  };
  session.done = supervise(ctx, session).catch((thrown: unknown) => {
    session.outcome = { failure: toTracewrightError(thrown) };
  });
  return session;
}

/**
 * Ends the sampling. perf takes up to a second longer to close its events and its file: that is no
 * part of the profile.
 */
export function stopSession(ctx: Context, session: Session, reason: StoppedBy): void {
  if (session.duration_ms !== null) return;
  session.duration_ms = Math.round(ctx.monotonicMs() - session.started_ms);
  session.stopped_by = reason;
  session.recorder.stop();
}

/** Brings the counts up to date while it runs. */
export async function refreshCounts(session: Session): Promise<void> {
  if (session.duration_ms === null) session.counts = await session.recorder.counts();
}

async function supervise(ctx: Context, session: Session): Promise<void> {
  const quit = new AbortController();
  const watching = watch(ctx, session, quit.signal);
  const finished = await session.recorder.finished;
  stopSession(ctx, session, reasonOf(session, finished));
  quit.abort();
  await watching;
  try {
    session.counts = await session.recorder.counts();
    const path = ctx.scratch.path(recording_file);
    const recorded = await readRecording(ctx, path, session.config.max_samples);
    session.outcome = { recorded, keeping: await keep(ctx, session, recorded) };
  } finally {
    ctx.scratch.remove(recording_file);
  }
}

async function keep(ctx: Context, session: Session, recorded: RecordedProfile): Promise<Keeping> {
  const { config, every_event, target, counts, notes, duration_ms } = session;
  const capture = cpuCapture(recorded.profile, {
    event: config.event,
    rate_hz: every_event ? null : config.freq,
    duration_ms: recorded.cut ? recorded.span_ms : duration_ms,
    lost: counts.lost,
    times: recorded.times,
    warnings: [...notes, ...recorded.warnings],
  });
  return await tryToKeep(ctx, capture, `${config.event} of ${targetText(target)}`);
}

async function watch(ctx: Context, session: Session, quit: AbortSignal): Promise<void> {
  const { config, limit_ms, started_ms } = session;
  const by_time = config.duration_secs > 0 ? 'duration' : 'time_limit';
  while (!quit.aborted) {
    const left_ms = started_ms + limit_ms - ctx.monotonicMs();
    if (left_ms <= 0) {
      stopSession(ctx, session, by_time);
      return;
    }
    const wait_ms = config.max_samples > 0 ? Math.min(left_ms, poll_ms) : left_ms;
    await ctx.sleep(wait_ms, quit).catch(() => {});
    if (config.max_samples === 0 || quit.aborted) continue;
    await refreshCounts(session);
    if (session.counts.samples >= config.max_samples) stopSession(ctx, session, 'max_samples');
  }
}

function reasonOf({ target }: Session, finished: Finished): StoppedBy {
  if (finished.stopped_by === 'deadline') return 'time_limit';
  if (finished.signal === 'SIGKILL') return 'killed';
  if (finished.stderr.includes('size limit reached')) return 'size_limit';
  return target.scope === 'pid' && finished.exit_code === 0 ? 'target_exit' : 'perf_exit';
}
