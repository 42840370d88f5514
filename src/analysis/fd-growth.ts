/** How many descriptors were open, seconds after the first look. */
export type FdCount = Readonly<{ at_s: number; total: number }>;

export type FdGrowth = Readonly<{
  /** Slope of the straight line that fits the counts best, per second. */
  fd_growth_rate: number | null;
  fd_change: number;
  /** Null where there are too few counts to tell. */
  is_likely_leak: boolean | null;
  interpretation: string;
  /** Steps in which there were more, and fewer, than before, and by how many in all. */
  rises: number;
  falls: number;
  opened: number;
  closed: number;
}>;

const rapid = { change: 50, per_s: 10 };
const moderate = { change: 10, per_s: 2 };
/** Below this in each half of the time a growth is that of any program at work. */
const slow_rises = 5;

/**
 * Whether the number of open descriptors grows as that of a leak does: in both halves of the time,
 * with little coming back. A burst of work opens many at once and then keeps or closes them.
 */
export function fdGrowth(counts: readonly FdCount[]): FdGrowth {
  const totals = counts.map(({ total }) => total);
  const steps = totals.slice(1).map((total, at) => total - (totals[at] ?? total));
  const sum = (of: readonly number[]): number => of.reduce((all, each) => all + each, 0);
  const ups = steps.filter((step) => step > 0);
  const downs = steps.filter((step) => step < 0);
  const facts = {
    fd_growth_rate: slope(counts),
    fd_change: sum(steps),
    rises: ups.length,
    falls: downs.length,
    opened: sum(ups),
    closed: sum(downs.map(Math.abs)),
  };
  return { ...facts, ...verdict(steps, facts) };
}

type Facts = Omit<FdGrowth, 'is_likely_leak' | 'interpretation'>;
type Verdict = Pick<FdGrowth, 'is_likely_leak' | 'interpretation'>;

function verdict(steps: readonly number[], facts: Facts): Verdict {
  const { fd_change, opened, closed, rises } = facts;
  const per_s = facts.fd_growth_rate ?? 0;
  if (steps.length < 2) {
    return { is_likely_leak: null, interpretation: 'Too few samples to tell: measure longer.' };
  }
  if (fd_change <= 0) {
    const interpretation =
      opened === 0
        ? 'Stable: no sample had more open descriptors than the one before.'
        : `No growth: ${opened} more and ${closed} fewer between samples.`;
    return { is_likely_leak: false, interpretation };
  }
  if (closed > opened / 5) {
    const interpretation = `Grew by ${fd_change}, but ${closed} of ${opened} were closed again.`;
    return { is_likely_leak: false, interpretation };
  }
  const half = Math.ceil(steps.length / 2);
  const grew = (part: readonly number[]): boolean => part.some((step) => step > 0);
  if (!grew(steps.slice(0, half)) || !grew(steps.slice(half))) {
    const interpretation = `Grew by ${fd_change} in one half of the time only: a burst, no steady growth.`;
    return { is_likely_leak: false, interpretation };
  }
  const said = `${fd_change} more descriptors, ${per_s} per second, in ${rises} of ${steps.length} steps`;
  if (fd_change > rapid.change || per_s > rapid.per_s) {
    return { is_likely_leak: true, interpretation: `Rapid steady growth: ${said}.` };
  }
  if (fd_change > moderate.change || per_s > moderate.per_s) {
    return { is_likely_leak: true, interpretation: `Moderate steady growth: ${said}.` };
  }
  if (closed === 0 && rises >= slow_rises) {
    return { is_likely_leak: true, interpretation: `Slow steady growth: ${said}.` };
  }
  return {
    is_likely_leak: false,
    interpretation: `Slight growth: ${said}. Measure longer to tell a slow leak from work.`,
  };
}

/** Least squares; null where no time passed. */
function slope(counts: readonly FdCount[]): number | null {
  const n = counts.length;
  const mean = (of: (count: FdCount) => number): number =>
    counts.reduce((sum, count) => sum + of(count), 0) / n;
  const [at, total] = [mean((each) => each.at_s), mean((each) => each.total)];
  const spread = counts.reduce((sum, each) => sum + (each.at_s - at) ** 2, 0);
  if (n < 2 || spread === 0) return null;
  const joint = counts.reduce((sum, each) => sum + (each.at_s - at) * (each.total - total), 0);
  return Math.round((joint / spread) * 100) / 100;
}
