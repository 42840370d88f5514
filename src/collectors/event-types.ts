import { type EventType, eventTypes } from '../../parsers/stream/stream.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import { tracingObstacle } from './bpftrace-tracer.ts';
import { type EventCapability, eventCapabilities } from './event-tracer.ts';

export const stream_uri = 'events://stream';

/** Made by this server, without a program in the kernel. */
export const ownTypes: ReadonlySet<EventType> = new Set([
  'trace_started',
  'trace_stopped',
  'system_stat',
  'sched_stats',
  'scheduler_load',
  'scheduler_unload',
]);

/** What is tracked where nobody says what: the scheduler's decisions and rare events. */
const defaultTypes: readonly EventType[] = [
  'sched_switch',
  'sched_wakeup',
  'sched_wakeup_new',
  'sched_migrate_task',
  'fork',
  'exec',
  'exit',
  'cpuhp_enter',
  'cpuhp_exit',
  'hw_pressure',
  'sched_hang',
  'alert',
  ...ownTypes,
];

const known = new WeakMap<Context, Promise<readonly EventCapability[]>>();

/** Each type, whether this host can produce it, and if not why. Asked once: the answer needs a boot to change. */
export function capabilities(ctx: Context, call: Call): Promise<readonly EventCapability[]> {
  return known.get(ctx) ?? ask(ctx, call);
}

function ask(ctx: Context, call: Call): Promise<readonly EventCapability[]> {
  const asked = eventCapabilities(ctx, call);
  known.set(ctx, asked);
  // Whoever asked is told; the next one asks again.
  asked.catch(() => known.delete(ctx));
  return asked;
}

export type ChosenTypes = Readonly<{
  types: readonly EventType[];
  /** Asked for by name, and not to be had here. */
  unavailable: readonly Unavailable[];
}>;

/** The types to track: those asked for that this host has. FEATURE_UNAVAILABLE where it has none. */
export async function chooseTypes(
  ctx: Context,
  asked: readonly EventType[] | null,
  call: Call,
): Promise<ChosenTypes> {
  const obstacle = tracingObstacle(ctx, stream_uri);
  if (obstacle)
    throw new TracewrightError('FEATURE_UNAVAILABLE', obstacle.reason, obstacle.fix ?? '');
  const all = await capabilities(ctx, call);
  const wanted = new Set(asked ?? defaultTypes);
  const missing = all.filter(({ type, available }) => wanted.has(type) && !available);
  for (const { type } of missing) wanted.delete(type);
  if (wanted.size === 0) {
    const reasons = missing.map(({ type, reason }) => `${type}: ${reason ?? 'not available'}`);
    const fix = missing.find((each) => each.fix !== null)?.fix;
    throw new TracewrightError(
      'FEATURE_UNAVAILABLE',
      `This host has none of the types asked for. ${reasons.join(' ')}`,
      fix ?? 'control_event_tracking with action=status lists what it has.',
    );
  }
  return {
    types: eventTypes.filter((type) => wanted.has(type)),
    unavailable: asked === null ? [] : missing.map(asUnavailable),
  };
}

export const asUnavailable = ({ type, reason, fix }: EventCapability): Unavailable => ({
  what: type,
  reason: reason ?? 'This host does not have it.',
  fix,
});
