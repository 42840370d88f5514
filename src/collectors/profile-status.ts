import type { Context } from '../context.ts';
import type { Reading } from '../reading.ts';
import {
  type ProfileConfig,
  refreshCounts,
  type Session,
  type StoppedBy,
} from './profile-session.ts';
import { targetText } from './profile-target.ts';

export type ProfileStatus = Readonly<{
  status: 'Idle' | 'Running' | 'Stopped';
  /** `sampling` by clock or counter, `tracing` where every event is recorded. */
  mode: 'sampling' | 'tracing';
  samples_collected: number;
  /** Since the start; frozen at the stop. */
  duration_ms: number;
  config: ProfileConfig | null;
  stopped_by: StoppedBy | null;
  /** Records that the kernel dropped. */
  lost_samples: number;
  /** Times at which the kernel paused the event because it came too often. */
  throttled: number;
  /** Until it ends by itself at the latest; null when it does not run. */
  seconds_left: number | null;
  /** Whether get_perf_results has something to tell. */
  results_ready: boolean;
  event: string | null;
  requested_event: string | null;
  user_only: boolean;
  started_at: string | null;
}>;

const idle: ProfileStatus = {
  status: 'Idle',
  mode: 'sampling',
  samples_collected: 0,
  duration_ms: 0,
  config: null,
  stopped_by: null,
  lost_samples: 0,
  throttled: 0,
  seconds_left: null,
  results_ready: false,
  event: null,
  requested_event: null,
  user_only: false,
  started_at: null,
};

/** What the profile does at the moment, as a reading of its own. */
export async function statusReading(
  ctx: Context,
  session: Session | null,
): Promise<Reading<ProfileStatus>> {
  if (session === null) {
    return {
      data: idle,
      source: 'perf record',
      summary: ['No profile was started yet: start_perf_profiling.'],
    };
  }
  await refreshCounts(session);
  const data = statusOf(ctx, session);
  return {
    data,
    source: 'perf record',
    summary: [statusText(session, data), ...nextStep(data)],
    window_ms: data.duration_ms,
    lost_events: data.lost_samples,
    warnings: session.notes,
  };
}

export function statusOf(ctx: Context, session: Session): ProfileStatus {
  const { config, counts, outcome, duration_ms, stopped_by } = session;
  const running = duration_ms === null;
  const elapsed_ms = Math.round(ctx.monotonicMs() - session.started_ms);
  const counted =
    config.max_samples > 0 ? Math.min(counts.samples, config.max_samples) : counts.samples;
  return {
    status: running ? 'Running' : 'Stopped',
    mode: session.every_event ? 'tracing' : 'sampling',
    samples_collected: outcome && 'recorded' in outcome ? outcome.recorded.samples : counted,
    duration_ms: duration_ms ?? elapsed_ms,
    config,
    stopped_by: running ? null : stopped_by,
    lost_samples: counts.lost,
    throttled: counts.throttled,
    seconds_left: running ? secondsLeft(ctx, session) : null,
    results_ready: outcome !== null && 'recorded' in outcome,
    event: config.event,
    requested_event: session.requested_event,
    user_only: session.user_only,
    started_at: session.started_at,
  };
}

export function secondsLeft(ctx: Context, { started_ms, limit_ms }: Session): number {
  return Math.max(0, Math.ceil((started_ms + limit_ms - ctx.monotonicMs()) / 1000));
}

const endings: Readonly<Record<StoppedBy, string>> = {
  request: 'stopped on request',
  duration: 'ended after its time',
  max_samples: 'ended at max_samples',
  time_limit: 'ended at the limit of 600 s',
  size_limit: 'ended at the limit of 256 MiB',
  target_exit: 'ended with the process that it watched',
  killed: 'was killed by somebody',
  perf_exit: 'ended because perf ended',
};

function statusText({ target, stopped_by }: Session, data: ProfileStatus): string {
  const seconds = (data.duration_ms / 1000).toFixed(1);
  const rate = data.mode === 'tracing' ? 'every event' : `${data.config?.freq} Hz`;
  const how = `${data.event}, ${rate}, ${targetText(target)}`;
  const lost = data.lost_samples > 0 ? `, ${data.lost_samples} lost` : '';
  const counted = `${data.samples_collected} samples in ${seconds} s${lost} (${how})`;
  if (data.status === 'Running')
    return `Running: ${counted}; ends in ${data.seconds_left} s at the latest.`;
  return `The profile ${endings[stopped_by ?? 'perf_exit']}: ${counted}.`;
}

function nextStep({ status, results_ready }: ProfileStatus): string[] {
  if (status === 'Running') return ['Then, or after stop_perf_profiling: get_perf_results.'];
  return results_ready ? ['Read it with get_perf_results.'] : [];
}
