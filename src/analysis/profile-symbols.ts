import type { Profile } from './profile.ts';

/** Weight of a function itself, and with all that it called. */
export type SymbolWeight = Readonly<{ symbol: number; self: number; total: number }>;

export type SymbolDetail = Readonly<{
  /** Who called it, by weight of the function with all that it called; null: nothing above it. */
  callers: readonly Readonly<{ symbol: number | null; weight: number }>[];
  /** Processes that ran it or what it called, heaviest first. */
  processes: readonly Readonly<{ process: number; weight: number }>[];
  /** Stacks that end in the function itself, heaviest first, innermost frame first. */
  stacks: readonly Readonly<{ weight: number; frames: readonly number[] }>[];
  /** How many different ones there are. */
  distinct_stacks: number;
}>;

/**
 * Weight of each node without what lies below a deeper call of the same function, so that recursion
 * counts once: each sample belongs to the innermost call of each of its functions.
 */
export function innermostWeights({ nodes }: Profile): Float64Array {
  const { parents, symbols, totals } = nodes;
  const weights = totals.slice();
  for (let node = 1; node < weights.length; node++) {
    let above = parents[node] ?? 0;
    while (above > 0 && symbols[above] !== symbols[node]) above = parents[above] ?? 0;
    if (above > 0) weights[above] = (weights[above] ?? 0) - (totals[node] ?? 0);
  }
  return weights;
}

/** Every function, heaviest first by the weight asked for, ties by the other weight. */
export function rankSymbols(profile: Profile, by: 'self' | 'total'): SymbolWeight[] {
  const { symbols, selfs } = profile.nodes;
  const self = new Float64Array(profile.symbols.length);
  const total = new Float64Array(profile.symbols.length);
  const inner = innermostWeights(profile);
  for (let node = 1; node < selfs.length; node++) {
    const symbol = symbols[node] ?? 0;
    self[symbol] = (self[symbol] ?? 0) + (selfs[node] ?? 0);
    total[symbol] = (total[symbol] ?? 0) + (inner[node] ?? 0);
  }
  const ranked = profile.symbols.map((_symbol, symbol) => ({
    symbol,
    self: self[symbol] ?? 0,
    total: total[symbol] ?? 0,
  }));
  const other = by === 'self' ? 'total' : 'self';
  return ranked.sort((a, b) => b[by] - a[by] || b[other] - a[other] || a.symbol - b.symbol);
}

/** Callers, processes and stacks of the functions asked for. At most `max_stacks` stacks each. */
export function symbolDetails(
  profile: Profile,
  wanted: readonly number[],
  max_stacks: number,
): ReadonlyMap<number, SymbolDetail> {
  const callers = callersOf(profile, new Set(wanted));
  const processes = processesOf(profile, new Set(wanted));
  const ends = endsOf(profile, new Set(wanted));
  return new Map(
    wanted.map((symbol) => {
      const nodes = ends.get(symbol) ?? [];
      const detail = {
        callers: heaviest(callers.get(symbol)).map(([caller, weight]) => ({
          symbol: caller < 0 ? null : caller,
          weight,
        })),
        processes: heaviest(processes.get(symbol)).map(([process, weight]) => ({
          process,
          weight,
        })),
        stacks: nodes.slice(0, max_stacks).map((node) => ({
          weight: profile.nodes.selfs[node] ?? 0,
          frames: stackOf(profile, node),
        })),
        distinct_stacks: nodes.length,
      };
      return [symbol, detail];
    }),
  );
}

/** The functions of a stack, innermost first. */
function stackOf({ nodes }: Profile, node: number): number[] {
  const frames: number[] = [];
  for (let at = node; at > 0; at = nodes.parents[at] ?? 0) frames.push(nodes.symbols[at] ?? 0);
  return frames;
}

type Weights = Map<number, number>;

function heaviest(weights: Weights | undefined): [number, number][] {
  return [...(weights ?? [])].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
}

function addTo(all: Map<number, Weights>, symbol: number, key: number, weight: number): void {
  const weights = all.get(symbol) ?? new Map<number, number>();
  all.set(symbol, weights);
  weights.set(key, (weights.get(key) ?? 0) + weight);
}

function callersOf(profile: Profile, wanted: ReadonlySet<number>): Map<number, Weights> {
  const { parents, symbols } = profile.nodes;
  const inner = innermostWeights(profile);
  const callers = new Map<number, Weights>();
  for (let node = 1; node < inner.length; node++) {
    const symbol = symbols[node] ?? 0;
    const weight = inner[node] ?? 0;
    if (weight > 0 && wanted.has(symbol)) {
      addTo(callers, symbol, symbols[parents[node] ?? 0] ?? -1, weight);
    }
  }
  return callers;
}

function processesOf(profile: Profile, wanted: ReadonlySet<number>): Map<number, Weights> {
  const { nodes, processes, weights } = profile.shares;
  const found = new Map<number, Weights>();
  for (const [share, node] of nodes.entries()) {
    const onStack = new Set(stackOf(profile, node));
    for (const symbol of onStack) {
      if (wanted.has(symbol)) addTo(found, symbol, processes[share] ?? 0, weights[share] ?? 0);
    }
  }
  return found;
}

/** Nodes at which stacks end in each function, heaviest first. */
function endsOf(profile: Profile, wanted: ReadonlySet<number>): Map<number, number[]> {
  const { symbols, selfs } = profile.nodes;
  const ends = new Map<number, number[]>();
  for (let node = 1; node < selfs.length; node++) {
    const symbol = symbols[node] ?? 0;
    if ((selfs[node] ?? 0) === 0 || !wanted.has(symbol)) continue;
    const nodes = ends.get(symbol) ?? [];
    ends.set(symbol, nodes);
    nodes.push(node);
  }
  for (const nodes of ends.values()) nodes.sort((a, b) => (selfs[b] ?? 0) - (selfs[a] ?? 0));
  return ends;
}
