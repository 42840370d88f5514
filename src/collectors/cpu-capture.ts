import type { Profile } from '../analysis/profile.ts';
import { withoutIdle } from '../analysis/profile-idle.ts';
import { fromSamples } from '../profiles/from-samples.ts';
import type { StackProfile } from '../profiles/stack-profile.ts';

type Facts = Readonly<{
  event: string;
  /** Null where every event was taken. */
  rate_hz: number | null;
  duration_ms: number | null;
  lost: number;
  warnings: readonly string[];
}>;

/** Samples as they are kept: without those of idle CPUs where a clock took them, which is said. */
export function cpuCapture(
  profile: Profile,
  { event, rate_hz, duration_ms, lost, warnings }: Facts,
): StackProfile {
  const { profile: busy, idle } = rate_hz === null ? { profile, idle: 0 } : withoutIdle(profile);
  const aside = idle > 0 ? [`${idle} samples of idle CPUs are left out.`] : [];
  const clock = /cpu-clock|task-clock/.test(event) && rate_hz !== null;
  return fromSamples(busy, {
    event,
    period: clock ? Math.round(1e9 / rate_hz) : null,
    duration_ms,
    lost,
    warnings: [...warnings, ...aside],
  });
}
