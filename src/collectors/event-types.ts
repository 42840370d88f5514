import { type EventType, eventTypes } from '../../parsers/stream/stream.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
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

export type ChosenTypes = Readonly<{
  types: readonly EventType[];
  /** Asked for by name, and not to be had here. */
  unavailable: readonly Unavailable[];
}>;

/**
 * The types to track: those asked for that this host has. FEATURE_UNAVAILABLE where it has none; or,
 * where nobody asked for certain ones, none of the kernel's.
 */
export async function chooseTypes(
  ctx: Context,
  asked: readonly EventType[] | null,
  call: Call,
): Promise<ChosenTypes> {
  const wanted = new Set(asked ?? defaultTypes);
  const all = (await eventCapabilities(ctx, call)).filter(({ type }) => wanted.has(type));
  const types = all.filter(({ available }) => available).map(({ type }) => type);
  const missing = all.filter(({ available }) => !available);
  if (types.length === 0 || (asked === null && types.every((type) => ownTypes.has(type)))) {
    throw nothingToTrack(missing);
  }
  return {
    types: eventTypes.filter((type) => types.includes(type)),
    unavailable: asked === null ? [] : missing.map(asUnavailable),
  };
}

export const asUnavailable = ({ type, reason, fix }: EventCapability): Unavailable => ({
  what: type,
  reason: reason ?? 'This host does not have it.',
  fix,
});

function nothingToTrack(missing: readonly EventCapability[]): TracewrightError {
  const reasons = new Map<string, EventType[]>();
  for (const { type, reason } of missing) {
    const why = reason ?? 'This host does not have it.';
    reasons.set(why, [...(reasons.get(why) ?? []), type]);
  }
  const told = [...reasons].map(([why, types]) => `${why} (${types.join(', ')})`);
  return new TracewrightError(
    'FEATURE_UNAVAILABLE',
    `Nothing can be tracked here: ${told.join(' ').slice(0, 1000)}`,
    missing.find(({ fix }) => fix !== null)?.fix ??
      'control_event_tracking with action=status lists what this host has.',
  );
}
