import { frameLabel } from './frame-words.ts';
import type { StackProfile } from './stack-profile.ts';
import { type FunctionWeight, functionKey, topFunctions } from './top-functions.ts';

/** A function in two profiles, in percent of each. */
export type FunctionChange = Readonly<{
  function: string;
  self_before_pct: number;
  self_after_pct: number;
  self_change_pct: number;
  total_before_pct: number;
  total_after_pct: number;
  total_change_pct: number;
  /** What two standard deviations of the number of samples alone can make of the change. */
  noise_pct: number;
  within_noise: boolean;
}>;

/**
 * Both profiles as shares of their whole, so that a longer one is no worse one. Changes beyond noise
 * first, the largest first; `by` says which change counts. Function names are what is compared.
 */
export function functionChanges(
  before: StackProfile,
  after: StackProfile,
  by: 'self' | 'total',
): readonly FunctionChange[] {
  const olds = byKey(before);
  const news = byKey(after);
  const keys = new Set([...olds.keys(), ...news.keys()]);
  const rows = [...keys].map((key) => change(before, after, olds.get(key), news.get(key), by));
  const size = (row: FunctionChange): number => Math.abs(row[`${by}_change_pct`]);
  return rows
    .filter((row) => row.total_before_pct > 0 || row.total_after_pct > 0)
    .sort((a, b) => Number(a.within_noise) - Number(b.within_noise) || size(b) - size(a));
}

const byKey = (profile: StackProfile): ReadonlyMap<string, FunctionWeight> =>
  new Map(topFunctions(profile, 'self').map((each) => [functionKey(each.frame), each]));

function change(
  before: StackProfile,
  after: StackProfile,
  old: FunctionWeight | undefined,
  now: FunctionWeight | undefined,
  by: 'self' | 'total',
): FunctionChange {
  const frame = now?.frame ?? old?.frame;
  const self_before = share(old?.self, before);
  const self_after = share(now?.self, after);
  const total_before = share(old?.total, before);
  const total_after = share(now?.total, after);
  const noise =
    2 *
    Math.sqrt(variance(old?.[`${by}_variance`], before) + variance(now?.[`${by}_variance`], after));
  const moved = by === 'self' ? self_after - self_before : total_after - total_before;
  return {
    function: frame ? frameLabel(frame, 120) : '[unknown]',
    self_before_pct: round(self_before),
    self_after_pct: round(self_after),
    self_change_pct: round(self_after - self_before),
    total_before_pct: round(total_before),
    total_after_pct: round(total_after),
    total_change_pct: round(total_after - total_before),
    noise_pct: round(noise),
    within_noise: Math.abs(moved) <= noise,
  };
}

const share = (weight = 0, { total }: StackProfile): number =>
  total === 0 ? 0 : (weight / total) * 100;

/** Of a share in percent. Where a function was not met, one sample of it may have been missed. */
export function variance(sum = 0, { total, samples }: StackProfile): number {
  if (total === 0 || samples === 0) return 0;
  const one = (total / samples) ** 2;
  return (Math.max(sum, one) / total ** 2) * 10_000;
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** What the noise means, for whoever reads the table. */
export function noiseNote(before: StackProfile, after: StackProfile): string {
  return `Shares of ${before.samples} and ${after.samples} samples; a change within two standard deviations of their number (noise_pct) is marked within_noise and may be chance.`;
}
