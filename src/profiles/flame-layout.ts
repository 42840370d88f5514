import { type FrameTree, heavyChildren } from './frame-tree.ts';

/** A box of a flame graph; left edge and width as shares of the whole. */
export type FlameBox = Readonly<{
  node: number;
  depth: number;
  left: number;
  width: number;
  /** How many small calls the box stands for; 0 where it is one node. */
  merged: number;
}>;

export type FlameLayout = Readonly<{
  boxes: readonly FlameBox[];
  /** Levels, the root's among them. */
  levels: number;
  /** Nodes that have no box of their own. */
  left_out: number;
}>;

/** One in ten thousand: an eighth of a pixel where the graph is 1200 wide. */
const narrowest = 1 / 10_000;
const most_levels = 400;

/**
 * Boxes for the heaviest nodes, at most about `most` of them. The small children of a node share one
 * box where they are wide enough together; else their room stays empty, like the node's own weight.
 */
export function flameLayout(tree: FrameTree, most: number): FlameLayout {
  const whole = tree.totals[0] ?? 0;
  if (whole <= 0) return { boxes: [], levels: 1, left_out: 0 };
  const least = leastTotal(tree.totals, whole * narrowest, most);
  const { children, small } = heavyChildren(tree, least);
  const boxes: FlameBox[] = [{ node: 0, depth: 0, left: 0, width: 1, merged: 0 }];
  // Grows while it is walked: parents come before their children.
  for (const parent of boxes) {
    if (parent.merged > 0) continue;
    const depth = parent.depth + 1;
    const shown = depth < most_levels ? (children.get(parent.node) ?? []) : [];
    let { left } = parent;
    for (const node of shown) {
      const width = (tree.totals[node] ?? 0) / whole;
      boxes.push({ node, depth, left, width, merged: 0 });
      left += width;
    }
    const rest = small.get(parent.node);
    if (rest && rest.total >= least) {
      boxes.push({ node: parent.node, depth, left, width: rest.total / whole, merged: rest.count });
    }
  }
  return {
    boxes,
    levels: (boxes.at(-1)?.depth ?? 0) + 1,
    left_out: tree.totals.length - boxes.filter(({ merged }) => merged === 0).length,
  };
}

/** `floor`, or the weight that just `most` nodes have or exceed where that is more. */
function leastTotal(totals: Float64Array, floor: number, most: number): number {
  const heavy = totals.filter((total) => total >= floor).sort();
  return heavy.length <= most ? floor : (heavy[heavy.length - most] ?? floor);
}
