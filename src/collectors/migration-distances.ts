import type { Places } from './process-row.ts';

/**
 * How far tasks were moved: to another thread of the same core, another core that shares the
 * last-level cache, another cache of the same node, another node.
 */
export type Distances = Readonly<{
  within_core: number;
  within_llc: number;
  cross_llc: number;
  cross_node: number;
}>;

type Distance = keyof Distances;

/** Null where one of the CPUs is not online any more. */
export function distanceOf(places: Places, from_cpu: number, to_cpu: number): Distance | null {
  const from = places.get(from_cpu);
  const to = places.get(to_cpu);
  if (!from || !to) return null;
  if (from.node_id !== to.node_id) return 'cross_node';
  if (from.llc_id !== to.llc_id) return 'cross_llc';
  return from.core_id === to.core_id ? 'within_core' : 'within_llc';
}

type Move = Readonly<{ from_cpu: number; to_cpu: number; count: number }>;

export function distancesOf(places: Places, moves: readonly Move[]): Distances {
  const sums = { within_core: 0, within_llc: 0, cross_llc: 0, cross_node: 0 };
  for (const { from_cpu, to_cpu, count } of moves) {
    const distance = distanceOf(places, from_cpu, to_cpu);
    if (distance) sums[distance] += count;
  }
  return sums;
}
