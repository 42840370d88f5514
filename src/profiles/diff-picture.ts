import { sumUp } from '../analysis/profile.ts';
import { changeColour } from './flame-colours.ts';
import type { FlamePicture } from './flame-svg.ts';
import { frameTree } from './frame-tree.ts';
import { frameLabel, sharePct } from './frame-words.ts';
import { variance } from './profile-diff.ts';
import type { Frame, StackProfile } from './stack-profile.ts';
import { functionKey } from './top-functions.ts';
import { withoutUnknownRuns } from './unknown-runs.ts';
import { withTasks } from './with-tasks.ts';

type Stack = StackProfile['stacks'][number];

/**
 * The flame graph of `after`, coloured by what changed since `before`, both as shares of their whole:
 * red for more, blue for less, grey within noise. What is gone has no width and stands in the table.
 */
export function diffPicture(
  before: StackProfile,
  after: StackProfile,
  title: string,
): FlamePicture {
  const { frames, olds, news } = together(shown(before), shown(after));
  let ends: Int32Array = new Int32Array();
  const shape = frameTree({ stacks: [...olds, ...news] }, (nodes) => {
    ends = nodes;
  });
  const sums = (stacks: readonly Stack[], first: number, of: (stack: Stack) => number) => {
    const selfs = new Float64Array(shape.parents.length);
    for (const [index, stack] of stacks.entries()) {
      const node = ends[first + index] ?? 0;
      selfs[node] = (selfs[node] ?? 0) + of(stack);
    }
    return { selfs, totals: sumUp(shape.parents, selfs) };
  };
  const old = sums(olds, 0, ({ weight }) => weight);
  const now = sums(news, olds.length, ({ weight }) => weight);
  const oldNoise = sums(olds, 0, stackVariance).totals;
  const newNoise = sums(news, olds.length, stackVariance).totals;
  const shareOf = (totals: Float64Array, node: number): number =>
    ((totals[node] ?? 0) / (totals[0] || 1)) * 100;
  const changes = Float64Array.from(now.totals, (_total, node) => {
    const moved = shareOf(now.totals, node) - shareOf(old.totals, node);
    const noise = variance(oldNoise[node], before) + variance(newNoise[node], after);
    return Math.abs(moved) <= 2 * Math.sqrt(noise) ? 0 : moved;
  });
  const scale = changes.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
  const frameOf = (node: number) => frames[shape.frames[node] ?? -1];
  const two = (value: number): string => String(Math.round(value * 100) / 100);
  return {
    title,
    subtitle: `red: more, blue: less, grey: no change beyond noise; shares of ${before.samples} samples before, ${after.samples} after`,
    tree: { ...shape, ...now },
    name(node) {
      const frame = frameOf(node);
      return frame ? frameLabel(frame, 300) : 'all';
    },
    tip(node) {
      const was = shareOf(old.totals, node);
      const is = shareOf(now.totals, node);
      const sign = is >= was ? '+' : '';
      return `${two(was)} % before, ${two(is)} % after, ${sign}${two(is - was)}${changes[node] === 0 ? ', within noise' : ''}`;
    },
    colour: (node) => changeColour(changes[node] ?? 0, scale),
    mergedTip: (width) => `${sharePct(width, 1)} % after`,
  };
}

const shown = (profile: StackProfile): StackProfile => withTasks(withoutUnknownRuns(profile));

const stackVariance = ({ weight, samples }: Stack): number =>
  samples > 0 ? (weight * weight) / samples : 0;

/** The stacks of both over one list of frames: a function is the same in both by name and module. */
function together(before: StackProfile, after: StackProfile) {
  const frames: Frame[] = [];
  const numbers = new Map<string, number>();
  const renumbered = (profile: StackProfile): readonly Stack[] => {
    const map = profile.frames.map((frame) => {
      const key = `${functionKey(frame)}\n${frame.kind === 'unknown'}`;
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, frames.length);
      return frames.push(frame) - 1;
    });
    return profile.stacks.map((stack) => ({
      ...stack,
      frames: stack.frames.map((frame) => map[frame] ?? 0),
    }));
  };
  const olds = renumbered(before);
  return { frames, olds, news: renumbered(after) };
}
