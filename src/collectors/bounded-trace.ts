import type { Call, Context } from '../context.ts';
import { type ErrorCode, TracewrightError, toTracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import type { Obstacle } from './tracing-obstacles.ts';

/** What one way of measuring brought. */
export type Measured<T> = Readonly<{
  value: T;
  /** The programs and files behind it. */
  source: string;
  /** The time that was really watched. */
  window_ms: number;
  /** Null where the tracer does not tell. */
  lost_events: number | null;
  warnings: readonly string[];
}>;

/** One way of measuring something. The first of a ladder that can be used answers. */
export type Rung<T> = Readonly<{
  method: string;
  /** What is in the way, before anything is started. */
  obstacle(): Obstacle | null;
  /** Throws a TracewrightError where it turns out that it cannot be used. */
  measure(call: Call): Promise<Measured<T>>;
}>;

/** A rung that did not answer, and why. */
export type SkippedMethod = Readonly<{ method: string; reason: string; fix: string | null }>;

/** What opens the best way of measuring, where another had to do; null where nothing does. */
export const fixOfBest = ([best]: readonly SkippedMethod[]): string | null => best?.fix ?? null;

export type Traced<T> = Readonly<{
  /** Null where no rung could be used. */
  traced: (Measured<T> & Readonly<{ method: string }>) | null;
  skipped: readonly SkippedMethod[];
}>;

type Plan<T> = Readonly<{
  /** Tracers of one kind would measure each other: one runs at a time. */
  kind: string;
  duration_ms: number;
  rungs: readonly Rung<T>[];
}>;

/** The caller's fault or wish, or ours: another rung would not help. */
const final = new Set<ErrorCode>([
  'CANCELED',
  'INVALID_PARAMS',
  'NOT_ALLOWED',
  'PID_NOT_FOUND',
  'DEVICE_NOT_FOUND',
  'CGROUP_NOT_FOUND',
  'INTERNAL',
]);
/** A rung that failed is not tried again for a while: finding out costs seconds. */
const retry_ms = 60_000;
/** Starting and ending a tracer, on top of the time that it watches; for PROFILER_BUSY only. */
const around_ms = 3000;

type State = Readonly<{
  /** When each kind that runs will have ended. */
  busy: Map<string, number>;
  failed: Map<string, Readonly<{ at_ms: number; obstacle: Obstacle }>>;
}>;

const states = new WeakMap<Context, State>();

function stateOf(ctx: Context): State {
  const known = states.get(ctx);
  if (known) return known;
  const state: State = { busy: new Map(), failed: new Map() };
  states.set(ctx, state);
  return state;
}

/**
 * Measures with the first rung that can be used, and tells why the earlier ones were skipped.
 * PROFILER_BUSY, with the seconds left, while another of the same kind runs.
 */
export async function boundedTrace<T>(
  ctx: Context,
  { kind, duration_ms, rungs }: Plan<T>,
  call: Call,
): Promise<Traced<T>> {
  const { busy } = stateOf(ctx);
  const now_ms = ctx.monotonicMs();
  const ends_ms = busy.get(kind);
  if (ends_ms !== undefined) throw profilerBusy(kind, (ends_ms - now_ms) / 1000);
  busy.set(kind, now_ms + duration_ms + around_ms);
  try {
    return await climb(ctx, kind, rungs, call);
  } finally {
    busy.delete(kind);
  }
}

async function climb<T>(
  ctx: Context,
  kind: string,
  rungs: readonly Rung<T>[],
  call: Call,
): Promise<Traced<T>> {
  const skipped: SkippedMethod[] = [];
  for (const rung of rungs) {
    const key = `${kind} ${rung.method}`;
    const obstacle = recentFailure(ctx, key) ?? rung.obstacle();
    if (obstacle) {
      skipped.push({ method: rung.method, ...obstacle });
      continue;
    }
    call.progress(`tracing with ${rung.method}`);
    try {
      return { traced: { method: rung.method, ...(await rung.measure(call)) }, skipped };
    } catch (thrown) {
      const { code, message, suggestion } = toTracewrightError(thrown);
      if (final.has(code)) throw thrown;
      const failure = { reason: message, fix: suggestion };
      // A refusal is of this process, not of the next one asked for; and it comes at once.
      if (code !== 'PERMISSION_DENIED') {
        stateOf(ctx).failed.set(key, { at_ms: ctx.monotonicMs(), obstacle: failure });
      }
      skipped.push({ method: rung.method, ...failure });
    }
  }
  return { traced: null, skipped };
}

type TraceParts = Readonly<{
  method: string | null;
  source: string;
  window_ms?: number;
  lost_events?: number;
  warnings: readonly string[];
  unavailable: readonly Unavailable[];
}>;

/** How it was measured, for a Reading; `what` could not be where no rung answered. */
export function traceParts({ traced, skipped }: Traced<unknown>, what: string): TraceParts {
  if (traced === null) {
    const reasons = skipped.map(({ method, reason }) => `${method}: ${reason}`).join(' ');
    const fix = skipped.find((each) => each.fix !== null)?.fix ?? null;
    const unavailable = [{ what, reason: reasons, fix }];
    return { method: null, source: 'nothing', warnings: [], unavailable };
  }
  const { method, source, window_ms, lost_events, warnings } = traced;
  return {
    method,
    source,
    window_ms,
    ...(lost_events === null ? {} : { lost_events }),
    warnings,
    unavailable: [],
  };
}

function recentFailure(ctx: Context, key: string): Obstacle | null {
  const failure = stateOf(ctx).failed.get(key);
  if (!failure || ctx.monotonicMs() - failure.at_ms > retry_ms) return null;
  return failure.obstacle;
}

/** Seconds until the trace of this kind ends that runs now; null where none does. */
export function secondsBusy(ctx: Context, kind: string): number | null {
  const ends_ms = stateOf(ctx).busy.get(kind);
  return ends_ms === undefined ? null : (ends_ms - ctx.monotonicMs()) / 1000;
}

export function profilerBusy(kind: string, seconds_left: number): TracewrightError {
  const seconds = Math.max(1, Math.ceil(seconds_left));
  return new TracewrightError(
    'PROFILER_BUSY',
    `Another ${kind} trace is running; it ends in about ${seconds} s.`,
    `Call again in ${seconds} s.`,
  );
}
