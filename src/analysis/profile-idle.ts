import { type Profile, sumUp } from './profile.ts';

/**
 * The same profile without the samples of idle CPUs, how many those were, and the old numbers of the
 * shares that are left.
 */
export function withoutIdle(
  profile: Profile,
): Readonly<{ profile: Profile; idle: number; kept: readonly number[] }> {
  const { nodes, shares, processes, symbols } = profile;
  const selfs = new Float64Array(nodes.selfs.length);
  let idle = 0;
  const kept: number[] = [];
  for (const [share, node] of shares.nodes.entries()) {
    const weight = shares.weights[share] ?? 0;
    if (processes[shares.processes[share] ?? -1]?.pid === 0) idle += weight;
    else {
      selfs[node] = (selfs[node] ?? 0) + weight;
      kept.push(share);
    }
  }
  const kernel = selfs.reduce((sum, self, node) => {
    return symbols[nodes.symbols[node] ?? -1]?.is_kernel ? sum + self : sum;
  }, 0);
  return {
    idle,
    kept,
    profile: {
      ...profile,
      total: profile.total - idle,
      nodes: { ...nodes, selfs, totals: sumUp(nodes.parents, selfs) },
      shares: {
        nodes: Int32Array.from(kept, (share) => shares.nodes[share] ?? 0),
        processes: Int32Array.from(kept, (share) => shares.processes[share] ?? 0),
        weights: Float64Array.from(kept, (share) => shares.weights[share] ?? 0),
      },
      kernel,
      without_stack: selfs[0] ?? 0,
    },
  };
}

export type HotStack = Readonly<{ process: number; weight: number; frames: readonly number[] }>;

/** The heaviest stacks, each with the process that was in it; frames innermost first. */
export function heaviestStacks({ nodes, shares }: Profile, most: number): readonly HotStack[] {
  const order = [...shares.weights.keys()].sort(
    (a, b) => (shares.weights[b] ?? 0) - (shares.weights[a] ?? 0),
  );
  return order.slice(0, most).map((share) => {
    const frames: number[] = [];
    for (let at = shares.nodes[share] ?? 0; at > 0; at = nodes.parents[at] ?? 0) {
      frames.push(nodes.symbols[at] ?? 0);
    }
    const weight = shares.weights[share] ?? 0;
    return { process: shares.processes[share] ?? 0, weight, frames };
  });
}
