import { sumUp } from '../analysis/profile.ts';
import type { StackProfile } from './stack-profile.ts';

/**
 * Stacks merged into a tree. Node 0 is the root, with frame -1; a parent has a smaller number than
 * its children.
 */
export type FrameTree = Readonly<{
  parents: Int32Array;
  frames: Int32Array;
  /** Weight of the stacks that end here, and of all that pass through. */
  selfs: Float64Array;
  totals: Float64Array;
}>;

/**
 * `stackNodes` gets the node at which each stack ends, in the order of the stacks. Sorted stacks share
 * their beginnings with their neighbours: no search, and memory is written front to back.
 */
export function frameTree(
  { stacks }: Pick<StackProfile, 'stacks'>,
  stackNodes?: (nodes: Int32Array) => void,
): FrameTree {
  const most = stacks.reduce((sum, stack) => sum + stack.frames.length, 1);
  const parents = new Int32Array(most);
  const frames = new Int32Array(most);
  const selfs = new Float64Array(most);
  parents[0] = -1;
  frames[0] = -1;
  let size = 1;
  const ends = new Int32Array(stacks.length);
  /** Nodes of the stack before, by depth. */
  const path: number[] = [0];
  let before: readonly number[] = [];
  for (const index of inOrder(stacks)) {
    const stack = stacks[index];
    if (!stack) continue;
    let depth = commonLength(before, stack.frames);
    for (; depth < stack.frames.length; depth++) {
      parents[size] = path[depth] ?? 0;
      frames[size] = stack.frames[depth] ?? -1;
      path[depth + 1] = size++;
    }
    before = stack.frames;
    const node = path[stack.frames.length] ?? 0;
    ends[index] = node;
    selfs[node] = (selfs[node] ?? 0) + stack.weight;
  }
  stackNodes?.(ends);
  const own = selfs.slice(0, size);
  return {
    parents: parents.slice(0, size),
    frames: frames.slice(0, size),
    selfs: own,
    totals: sumUp(parents, own),
  };
}

function inOrder(stacks: StackProfile['stacks']): Uint32Array {
  const none: readonly number[] = [];
  return Uint32Array.from(stacks.keys()).sort((a, b) =>
    compare(stacks[a]?.frames ?? none, stacks[b]?.frames ?? none),
  );
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = commonLength(a, b);
  return (a[at] ?? -1) - (b[at] ?? -1);
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}

/** Heavy children by parent, heaviest first, and what the light ones are together. */
export function heavyChildren({ parents, totals }: FrameTree, least: number) {
  const children = new Map<number, number[]>();
  const small = new Map<number, { count: number; total: number }>();
  for (let node = 1; node < totals.length; node++) {
    const parent = parents[node] ?? 0;
    // Below a light node nothing is drawn.
    if ((totals[parent] ?? 0) < least) continue;
    const total = totals[node] ?? 0;
    const list = children.get(parent);
    const rest = small.get(parent);
    if (total < least) {
      if (rest) {
        rest.count++;
        rest.total += total;
      } else small.set(parent, { count: 1, total });
    } else if (list) list.push(node);
    else children.set(parent, [node]);
  }
  for (const list of children.values()) {
    list.sort((a, b) => (totals[b] ?? 0) - (totals[a] ?? 0) || a - b);
  }
  return { children, small };
}
