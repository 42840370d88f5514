import { type FrameTree, heavyChildren } from './frame-tree.ts';
import { frameLabel, sharePct } from './frame-words.ts';
import type { StackProfile } from './stack-profile.ts';

export type TreeLine = Readonly<{
  depth: number;
  name: string;
  total: number;
  self: number;
  total_pct: number;
}>;

export type TreeLimits = Readonly<{ min_pct: number; max_depth: number; max_lines: number }>;

/**
 * The call tree from the outermost frames inwards, one line a frame, heaviest branch first. Branches
 * below `min_pct` of the whole are left out: a line at their place sums them up.
 */
export function treeLines(
  profile: StackProfile,
  tree: FrameTree,
  limits: TreeLimits,
): readonly TreeLine[] {
  const { frames, selfs, totals } = tree;
  const whole = totals[0] ?? 0;
  // Without a lower limit each node would be a line.
  const least = Math.max((whole * limits.min_pct) / 100, whole / 100_000);
  const { children, small } = heavyChildren(tree, least);
  const lines: TreeLine[] = [];
  // A stack of our own: recursion in a program can be deeper than ours may be.
  const open: TreeLine[] = [];
  const nodes: number[] = [];
  const enter = (node: number, depth: number): void => {
    const rest = small.get(node);
    const kept = depth < limits.max_depth ? (children.get(node) ?? []) : [];
    if (rest && rest.total >= least) {
      const name = `(${rest.count} lighter)`;
      open.push({
        depth,
        name,
        total: rest.total,
        self: 0,
        total_pct: sharePct(rest.total, whole),
      });
      nodes.push(-1);
    }
    for (const each of kept.toReversed()) {
      const frame = profile.frames[frames[each] ?? -1];
      const total = totals[each] ?? 0;
      const name = frame ? frameLabel(frame, 120) : '[unknown]';
      const self = selfs[each] ?? 0;
      open.push({ depth, name, total, self, total_pct: sharePct(total, whole) });
      nodes.push(each);
    }
  };
  enter(0, 0);
  for (let line = open.pop(); line && lines.length < limits.max_lines; line = open.pop()) {
    lines.push(line);
    const node = nodes.pop() ?? -1;
    if (node > 0) enter(node, line.depth + 1);
  }
  return lines;
}

/** A line as text, indented by its depth. */
export const treeText = ({ depth, name, total_pct, self, total }: TreeLine): string =>
  `${' '.repeat(depth)}${total_pct} % ${name}${self > 0 && self < total ? ` (self ${sharePct(self, total)} % of it)` : ''}`;
