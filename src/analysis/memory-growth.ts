import type { HeldMemory, TracemallocReport } from '../../parsers/tracemalloc/tracemalloc.ts';

/**
 * `growing`: it held more and more until the end, so it is a leak, or something that is still being
 * built. `steady`: it reached a level and stayed. `released`: what it held was given back.
 */
export type GrowthVerdict = 'growing' | 'steady' | 'released' | 'too few snapshots';

export type Growth = Readonly<{
  file: string;
  line: number;
  verdict: GrowthVerdict;
  held_mb: number;
  most_mb: number;
  /** Over the second half of the run. */
  growth_mb_per_s: number;
}>;

/** Validated on the programs of test/live/python/leaks.test.ts, leaking ones and others. */
const least_bytes = 1_000_000;
const least_snapshots = 6;
/** Share of the steps of the second half that go up, for a line that grows. */
const rising_share = 0.8;
/** Of what is held at the end, at least so much came in the second half. */
const late_share = 0.2;

/** Lines that held a megabyte or more at some time, those that grow first. */
export function memoryGrowth({ lines, interval_s }: TracemallocReport): readonly Growth[] {
  return lines
    .filter((line) => Math.max(0, ...line.bytes) >= least_bytes)
    .map((line) => judge(line, interval_s))
    .sort((a, b) => rank(a) - rank(b) || b.held_mb - a.held_mb);
}

function judge({ file, line, bytes }: HeldMemory, interval_s: number): Growth {
  const half = bytes.slice(Math.floor(bytes.length / 2));
  const held = bytes.at(-1) ?? 0;
  const gained = held - (half[0] ?? 0);
  const seconds = Math.max(1, half.length - 1) * interval_s;
  return {
    file,
    line,
    verdict: verdictOf(bytes, half, held, gained),
    held_mb: megabytes(held),
    most_mb: megabytes(Math.max(0, ...bytes)),
    growth_mb_per_s: megabytes(gained / seconds),
  };
}

function verdictOf(
  bytes: readonly number[],
  half: readonly number[],
  held: number,
  gained: number,
): GrowthVerdict {
  if (bytes.length < least_snapshots) return 'too few snapshots';
  if (held < least_bytes || held < Math.max(...bytes) / 2) return 'released';
  const steps = half.slice(1).map((each, index) => each - (half[index] ?? 0));
  const rising = steps.filter((step) => step > 0).length / Math.max(1, steps.length);
  return rising >= rising_share && gained >= late_share * held ? 'growing' : 'steady';
}

const order: readonly GrowthVerdict[] = ['growing', 'too few snapshots', 'steady', 'released'];
const rank = ({ verdict }: Growth): number => order.indexOf(verdict);
const megabytes = (bytes: number): number => Math.round(bytes / 1e4) / 100;
