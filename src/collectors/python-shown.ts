import { type Hotspot, type HotspotType, hotspots } from '../analysis/python-hotspots.ts';
import type { PlacedLine } from '../analysis/python-lines.ts';
import type { StoredProfile, ViewOptions } from './python-profiles.ts';

/**
 * The hotspots of a type as the options of the run have them shown: Scalene takes these options, and
 * ignores them where it writes JSON.
 */
export function shownHotspots(
  { profile, run }: Pick<StoredProfile, 'profile' | 'run'>,
  type: HotspotType,
  least?: number,
): readonly Hotspot[] {
  const { view } = run;
  if (type === 'gpu') return hotspots(profile, 'gpu', least);
  if (type === 'cpu') {
    return view.cpu ? hotspots(profile, 'cpu', least ?? view.cpu_percent_threshold) : [];
  }
  return hotspots(profile, 'memory', least).filter(
    ({ allocated_mb }) => allocated_mb === null || allocates(allocated_mb, view),
  );
}

/** What reduced_profile leaves: lines above either threshold. */
export const isHighActivity = (line: PlacedLine, view: ViewOptions): boolean =>
  line.cpu_pct + (line.waiting_pct ?? 0) >= view.cpu_percent_threshold ||
  ((line.allocated_mb ?? 0) > 0 && allocates(line.allocated_mb ?? 0, view));

/** Documented in bytes. Scalene's own option of that name counts allocations. */
const allocates = (mb: number, { malloc_threshold }: ViewOptions): boolean =>
  mb * 1024 * 1024 >= malloc_threshold;
