import type { Context } from '../context.ts';
import { cpu_root, readCpuList } from './cpu-files.ts';
import type { Session } from './profile-session.ts';
import type { RecordedProfile } from './recorded-profile.ts';

/** Fewer than this share of the samples due: some CPUs were not sampled while they idled. */
const complete_share = 0.9;

/**
 * The samples that a clock at this rate takes on these CPUs in this time. Null where it is not whole
 * CPUs by a clock that are sampled: a process runs only at times, and other events come as they do.
 */
export function expectedSamples(
  { files }: Context,
  { target, config, duration_ms, user_only }: Session,
  recorded: RecordedProfile,
): number | null {
  if (config.event !== 'sw:cpu-clock' || user_only || duration_ms === null) return null;
  if (target.scope === 'pid' || recorded.cut) return null;
  const cpus = target.scope === 'cpu' ? 1 : readCpuList(files, `${cpu_root}/online`)?.length;
  return cpus === undefined ? null : Math.round((config.freq * cpus * duration_ms) / 1000);
}

export const isShort = (samples: number, expected: number | null): boolean =>
  expected !== null && samples < complete_share * expected;

/** Some kernels, in virtual machines above all, stop the sampling clock of a CPU that idles. */
export function shortfall(samples: number, expected: number | null): readonly string[] {
  if (!isShort(samples, expected)) return [];
  return [
    `${samples} of ${expected} samples came: CPUs that idled were not sampled, so shares are of the time that was.`,
  ];
}
