import type { EventType } from '../../parsers/stream/stream.ts';
import type { Call, Context } from '../context.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { holdStream, timeLeft } from './event-holders.ts';
import { eventSession, inForce, noteLosses, stopTracking } from './event-session.ts';
import { type StreamState, streamState } from './event-stream.ts';
import { type EventCapability, type EventFilter, eventCapabilities } from './event-tracer.ts';
import { asUnavailable, chooseTypes, ownTypes } from './event-types.ts';

export type ControlRequest = Omit<EventFilter, 'types'> &
  Readonly<{
    action: 'start' | 'stop' | 'status';
    types: readonly EventType[] | null;
    duration_s: number;
  }>;

export type TrackingStatus = Readonly<{
  state: StreamState;
  /** Why it stopped, where it did. */
  stopped_because: string | null;
  started_at: string | null;
  ends_in_s: number | null;
  subscribers: number;
  /** What the kernel program keeps; null where nothing is tracked. */
  filter: EventFilter | null;
  attached: readonly string[];
  restarts: number;
  /** Records of this tracking that the kernel made, and those of them that were lost there. */
  seen: number;
  dropped: Readonly<{ kernel_buffer: number }>;
  first_seq: number;
  last_seq: number;
  alerts: Readonly<{ emitted: number; repeated: number }>;
  records_per_s: number | null;
  tracer_cpu_pct: number | null;
  server_cpu_pct: number | null;
  tracer_cpu_s: number | null;
  server_cpu_s: number | null;
  ring_bytes: number;
  available: readonly EventType[];
}>;

/** Starts, ends or describes the tracking of this server. To be called in the turn of the events queue. */
export async function controlTracking(
  ctx: Context,
  request: ControlRequest,
  call: Call,
): Promise<Reading<TrackingStatus>> {
  const { action } = request;
  if (action === 'start') return await start(ctx, request, call);
  if (action === 'stop') await stopTracking(ctx, 'control_event_tracking action=stop');
  const all = await eventCapabilities(ctx, call);
  const unavailable = all.filter(({ available }) => !available).map(asUnavailable);
  return status(ctx, all, unavailable);
}

async function start(ctx: Context, request: ControlRequest, call: Call) {
  const { action, types: asked, duration_s, ...narrowed } = request;
  const { types, unavailable } = await chooseTypes(ctx, withKprobe(asked, request.kprobe), call);
  await holdStream(ctx, { ...narrowed, types }, duration_s * 1000, call);
  return status(ctx, await eventCapabilities(ctx, call), unavailable);
}

/** Naming a function is asking for its calls. */
function withKprobe(asked: readonly EventType[] | null, kprobe: string | null) {
  if (kprobe === null) return asked;
  return asked === null
    ? (['kprobe', 'alert', ...ownTypes] as const)
    : [...asked, 'kprobe' as const];
}

function status(
  ctx: Context,
  all: readonly EventCapability[],
  unavailable: readonly Unavailable[],
): Reading<TrackingStatus> {
  const session = eventSession(ctx);
  const { tracking, ring, losses, ended, alerts } = session;
  noteLosses(session);
  const lost = tracking === null ? 0 : losses.total() - tracking.lost_before;
  const { window_ms, ...cost } = tracking?.meter.cost() ?? no_cost;
  const data: TrackingStatus = {
    state: streamState(session),
    stopped_because: ended?.reason ?? null,
    started_at: tracking?.started_at ?? null,
    ends_in_s: tracking === null ? null : Math.round(timeLeft(ctx, session) / 1000),
    subscribers: session.subscribers.size,
    filter: tracking?.filter ?? null,
    attached: tracking?.run?.attached() ?? [],
    restarts: tracking?.run?.restarts() ?? 0,
    seen: tracking === null ? 0 : ring.last() + 1 - tracking.first_seq + lost,
    dropped: { kernel_buffer: lost },
    first_seq: ring.first(),
    last_seq: ring.last(),
    alerts: { emitted: alerts.emitted(), repeated: alerts.repeated() },
    ...cost,
    ring_bytes: ring.held_bytes(),
    available: all.filter(({ available }) => available).map(({ type }) => type),
  };
  return {
    data,
    source: 'bpftrace, /proc/PID/stat',
    summary: inWords(data),
    ...(window_ms === null ? {} : { window_ms }),
    lost_events: lost,
    unavailable,
  };
}

const no_cost = {
  records_per_s: null,
  tracer_cpu_pct: null,
  server_cpu_pct: null,
  tracer_cpu_s: null,
  server_cpu_s: null,
  window_ms: null,
};

function inWords(data: TrackingStatus): string[] {
  const { state, filter, ends_in_s, seen, dropped, records_per_s } = data;
  if (state === 'stopped' || filter === null) {
    const why = data.stopped_because === null ? '' : `: ${data.stopped_because}`;
    return [
      `Nothing is tracked${why}.`,
      `${data.available.length} types can be tracked here; ${data.last_seq} records so far.`,
    ];
  }
  const narrowed = Object.entries(inForce(filter).filter).map(
    ([name, value]) => `${name} ${String(value)}`,
  );
  return [
    `Tracking ${filter.types.join(', ')}${narrowed.length === 0 ? '' : `; only ${narrowed.join(', ')}`}.`,
    `It ends by itself in ${ends_in_s} s${data.subscribers === 0 ? '' : `; ${data.subscribers} subscribers`}.`,
    `${seen} events so far, ${dropped.kernel_buffer} of them lost in the kernel; ${records_per_s ?? '?'}/s.`,
    `Cost: bpftrace ${data.tracer_cpu_pct ?? '?'} %, this server ${data.server_cpu_pct ?? '?'} % of one CPU.`,
  ];
}
