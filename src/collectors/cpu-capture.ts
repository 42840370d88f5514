import type { Profile } from '../analysis/profile.ts';
import { withoutIdle } from '../analysis/profile-idle.ts';
import { fromSamples } from '../profiles/from-samples.ts';
import { renumberedTimes } from '../profiles/sample-times.ts';
import type { SampleTimes, StackProfile } from '../profiles/stack-profile.ts';

type Facts = Readonly<{
  event: string;
  /** Null where every event was taken. */
  rate_hz: number | null;
  duration_ms: number | null;
  lost: number;
  warnings: readonly string[];
  /** By share of the profile. */
  times: SampleTimes | null;
}>;

/** Samples as they are kept: without those of idle CPUs where a clock took them, which is said. */
export function cpuCapture(
  profile: Profile,
  { event, rate_hz, duration_ms, lost, warnings, times }: Facts,
): StackProfile {
  const everything = { profile, idle: 0, kept: null };
  const { profile: busy, idle, kept } = rate_hz === null ? everything : withoutIdle(profile);
  const numbers = kept === null ? null : new Map(kept.map((share, number) => [share, number]));
  const aside = idle > 0 ? [`${idle} samples of idle CPUs are left out.`] : [];
  const clock = /cpu-clock|task-clock/.test(event) && rate_hz !== null;
  const stacks = fromSamples(busy, {
    event,
    period: clock ? Math.round(1e9 / rate_hz) : null,
    duration_ms,
    lost,
    warnings: [...warnings, ...aside],
  });
  const kept_times = renumberedTimes(times, (share) =>
    numbers === null ? share : (numbers.get(share) ?? -1),
  );
  return { ...stacks, times: kept_times };
}
