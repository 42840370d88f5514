import type { StackProfile } from './stack-profile.ts';

/**
 * The profiles of an event, by its whole name or by what stands before a colon of it: `cycles` is
 * `cycles:ppp`, too, and `sched` is every tracepoint of that group.
 */
export function ofEvent(profiles: readonly StackProfile[], event: string): readonly StackProfile[] {
  const exact = profiles.filter((profile) => profile.event === event);
  if (exact.length > 0) return exact;
  return profiles.filter((profile) => profile.event.startsWith(`${event}:`));
}
