import { pairTable } from './pair-table.ts';

/** One function. The address is one at which a sample met it. */
export type ProfileSymbol = Readonly<{
  symbol: string;
  module: string;
  is_kernel: boolean;
  address: string;
}>;

export type ProfileProcess = Readonly<{ pid: number | null; comm: string; threads: number }>;

/**
 * Stacks merged into a tree, callers above callees. Node 0 is the root, above every stack; a parent
 * has a smaller number than its children. Weights are samples, or whatever was counted.
 */
export type Profile = Readonly<{
  /** Sum of all weights. */
  total: number;
  symbols: readonly ProfileSymbol[];
  processes: readonly ProfileProcess[];
  nodes: Readonly<{
    parents: Int32Array;
    /** -1 at the root. */
    symbols: Int32Array;
    /** Weight of the stacks that end here, and of all that pass through. */
    selfs: Float64Array;
    totals: Float64Array;
  }>;
  /** What each process adds to `selfs`: node, process, weight. */
  shares: Readonly<{ nodes: Int32Array; processes: Int32Array; weights: Float64Array }>;
  by_cpu: ReadonlyMap<number, number>;
  /** Weight of the samples taken in the kernel, and of those whose stack was empty. */
  kernel: number;
  without_stack: number;
}>;

type Task = Readonly<{ comm: string; pid: number | null; tid: number }>;

export type ProfileBuilder = Readonly<{
  symbol(frame: ProfileSymbol): number;
  /** The number of the process that a thread belongs to. */
  process(task: Task): number;
  /** The number of a stack of `depth` symbols, innermost first. */
  stack(frames: Int32Array, depth: number): number;
  /** Gives the number of the share that it was added to. */
  add(sample: Added): number;
  finish(): Profile;
}>;

type Added = Readonly<{ process: number; stack: number; cpu: number | null; weight: number }>;

/**
 * Merges stacks while they come in. Memory follows the distinct stacks, symbols and threads, never
 * the samples.
 */
export function profileBuilder(): ProfileBuilder {
  const symbols: ProfileSymbol[] = [];
  const symbolNumbers = new Map<string, number>();
  const processes: Readonly<{ comm: string; pid: number | null; tids: Set<number> }>[] = [];
  const processNumbers = new Map<string, number>();
  const calls = pairTable();
  const shares = pairTable();
  let weights = new Float64Array(1024);
  const by_cpu = new Map<number, number>();
  let total = 0;
  let kernel = 0;
  let without_stack = 0;
  const root = calls.of(-1, -1);

  function countMode(node: number, weight: number): void {
    if (node === root) without_stack += weight;
    else if (symbols[calls.second(node)]?.is_kernel) kernel += weight;
  }

  return {
    symbol(frame) {
      const key = `${frame.is_kernel ? 'k' : 'u'}${frame.symbol}\n${frame.module}`;
      const known = symbolNumbers.get(key);
      if (known !== undefined) return known;
      symbolNumbers.set(key, symbols.length);
      return symbols.push(frame) - 1;
    },
    process({ comm, pid, tid }) {
      const key = `${pid ?? tid} ${comm}`;
      const known = processNumbers.get(key);
      if (known !== undefined) {
        processes[known]?.tids.add(tid);
        return known;
      }
      processNumbers.set(key, processes.length);
      return processes.push({ comm, pid, tids: new Set([tid]) }) - 1;
    },
    stack(frames, depth) {
      let node = root;
      for (let at = depth - 1; at >= 0; at--) node = calls.of(node, frames[at] ?? -1);
      return node;
    },
    add({ process, stack, cpu, weight }) {
      const share = shares.of(stack, process);
      if (share >= weights.length) weights = longer(weights);
      weights[share] = (weights[share] ?? 0) + weight;
      total += weight;
      if (cpu !== null) by_cpu.set(cpu, (by_cpu.get(cpu) ?? 0) + weight);
      countMode(stack, weight);
      return share;
    },
    finish() {
      const tree = calls.members();
      const shared = shares.members();
      const selfs = new Float64Array(calls.size());
      for (const [share, node] of shared.first.entries()) {
        selfs[node] = (selfs[node] ?? 0) + (weights[share] ?? 0);
      }
      return {
        total,
        symbols,
        processes: processes.map(({ comm, pid, tids }) => ({ comm, pid, threads: tids.size })),
        nodes: {
          parents: tree.first,
          symbols: tree.second,
          selfs,
          totals: sumUp(tree.first, selfs),
        },
        shares: {
          nodes: shared.first,
          processes: shared.second,
          weights: weights.slice(0, shares.size()),
        },
        by_cpu,
        kernel,
        without_stack,
      };
    },
  };
}

/** Each node's weight with all below it. Children come after their parents: one pass backwards. */
export function sumUp(parents: Int32Array, selfs: Float64Array): Float64Array {
  const totals = selfs.slice();
  for (let node = totals.length - 1; node > 0; node--) {
    const parent = parents[node] ?? 0;
    totals[parent] = (totals[parent] ?? 0) + (totals[node] ?? 0);
  }
  return totals;
}

function longer(from: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const to = new Float64Array(from.length * 2);
  to.set(from);
  return to;
}
