import type { Profile } from './profile.ts';
import { innermostWeights } from './profile-symbols.ts';

/** One way in which a function is reached, and the ways in which that one is. */
export type Caller = Readonly<{
  /** The caller, then its callers for as long as each has only one: "a ← b ← c". */
  path: readonly string[];
  weight: number;
  /** Of the samples with the function on their stack. */
  percentage: number;
  callers: readonly Caller[];
  /** Lighter callers that are left out. */
  others: number;
}>;

export type CallTree = Readonly<{
  name: string;
  /** Samples with the function on their stack, and those in the function itself. */
  total: number;
  self: number;
  callers: readonly Caller[];
  others: number;
  /** The same as text, one branch a line. */
  lines: readonly string[];
}>;

export type TreeLimits = Readonly<{
  /** Branchings on the way up, branches each, and functions named in one line. */
  depth: number;
  width: number;
  path: number;
  /** Branches lighter than this share of the tree are left out. */
  min_pct: number;
}>;

const default_limits: TreeLimits = { depth: 8, width: 6, path: 24, min_pct: 0.5 };

/** Nodes of one function with what counts for them. */
type Branch = Map<number, number>;

/**
 * The callers of the given functions (one name can be in several modules) as a tree that grows
 * outwards, like the schedule of `perf report -g caller`. Recursion: a sample is counted at its
 * innermost call.
 */
export function callTree(
  profile: Profile,
  wanted: readonly number[],
  limits: TreeLimits = default_limits,
): CallTree {
  const { symbols, selfs } = profile.nodes;
  const inner = innermostWeights(profile);
  const start: Branch = new Map();
  let total = 0;
  let self = 0;
  for (let node = 1; node < inner.length; node++) {
    if (!wanted.includes(symbols[node] ?? -1)) continue;
    const weight = inner[node] ?? 0;
    self += selfs[node] ?? 0;
    if (weight === 0) continue;
    total += weight;
    start.set(node, weight);
  }
  const level = callersOf(profile, start, total, limits, limits.depth);
  const name = wanted.map((symbol) => frameText(profile, symbol)).join(', ');
  const head = `${name}: ${total} samples, ${self} in itself`;
  return { name, total, self, ...level, lines: [head, ...draw(level, '')] };
}

/** "symbol [module]", the core kernel without its module. */
export function frameText(profile: Profile, number: number): string {
  const frame = profile.symbols[number];
  if (!frame) return '[no caller]';
  if (frame.module.startsWith('[kernel')) return frame.symbol;
  const file = frame.module.slice(frame.module.lastIndexOf('/') + 1);
  return `${frame.symbol} [${file.replace(/^\[(.*)\]$/, '$1')}]`;
}

type Level = Readonly<{ callers: readonly Caller[]; others: number }>;

function callersOf(
  profile: Profile,
  branch: Branch,
  total: number,
  limits: TreeLimits,
  depth: number,
): Level {
  const groups = [...groupByCaller(profile, branch)].sort((a, b) => sum(b[1]) - sum(a[1]));
  const least = (total * limits.min_pct) / 100;
  const heavy = groups.filter(([, nodes]) => sum(nodes) >= least).slice(0, limits.width);
  const kept = depth > 0 ? heavy : [];
  const callers = kept.map(([symbol, nodes]): Caller => {
    const path = [frameText(profile, symbol)];
    const top = climb(profile, nodes, path, limits.path);
    const weight = sum(nodes);
    return {
      path,
      weight,
      percentage: Math.round((weight / total) * 1000) / 10,
      ...callersOf(profile, top, total, limits, depth - 1),
    };
  });
  return { callers, others: groups.length - kept.length };
}

/** Goes up while there is one caller only, and names it; the branch where that ends. */
function climb(profile: Profile, branch: Branch, path: string[], max: number): Branch {
  let at = branch;
  while (path.length < max) {
    const groups = groupByCaller(profile, at);
    const [only] = groups;
    if (!only || groups.size > 1 || sum(only[1]) < sum(at)) break;
    path.push(frameText(profile, only[0]));
    at = only[1];
  }
  return at;
}

/** The nodes above, by function. Nodes right below the root have no caller. */
function groupByCaller({ nodes }: Profile, branch: Branch): Map<number, Branch> {
  const groups = new Map<number, Branch>();
  for (const [node, weight] of branch) {
    const parent = nodes.parents[node] ?? 0;
    if (parent <= 0) continue;
    const symbol = nodes.symbols[parent] ?? 0;
    const group = groups.get(symbol) ?? new Map<number, number>();
    groups.set(symbol, group);
    group.set(parent, (group.get(parent) ?? 0) + weight);
  }
  return groups;
}

function sum(branch: Branch): number {
  let weight = 0;
  for (const each of branch.values()) weight += each;
  return weight;
}

function draw({ callers, others }: Level, indent: string): string[] {
  const lines = callers.flatMap((caller, index) => {
    const last = index === callers.length - 1 && others === 0;
    const [first = '', ...rest] = caller.path;
    const chain = [`${first} (${caller.percentage} %)`, ...rest].join(' ← ');
    return [
      `${indent}${last ? '└─' : '├─'} ${chain}`,
      ...draw(caller, `${indent}${last ? '   ' : '│  '}`),
    ];
  });
  return others === 0 ? lines : [...lines, `${indent}└─ (${others} lighter)`];
}
