import { parseVmstat } from '../vmstat/vmstat.ts';

/** Page allocations since boot. */
export type NumaStat = Readonly<{
  /** On this node, by tasks that ran on a CPU of this node. */
  local_node: number | null;
  /** On this node, by tasks that ran on a CPU of another node. */
  other_node: number | null;
  /** On this node, which was the one wanted. */
  numa_hit: number | null;
  /** On this node, although another was wanted. */
  numa_miss: number | null;
  /** Wanted here, made elsewhere. */
  numa_foreign: number | null;
  interleave_hit: number | null;
}>;

/**
 * `/sys/devices/system/node/node<N>/numastat` (drivers/base/node.c,
 * Documentation/admin-guide/numastat.rst). It counts allocations of pages, not accesses to memory.
 *
 *     local_node 3155154
 *     other_node 0
 */
export function parseNumaStat(text: string): NumaStat {
  const counters = parseVmstat(text);
  const count = (name: string): number | null => counters[name] ?? null;
  return {
    local_node: count('local_node'),
    other_node: count('other_node'),
    numa_hit: count('numa_hit'),
    numa_miss: count('numa_miss'),
    numa_foreign: count('numa_foreign'),
    interleave_hit: count('interleave_hit'),
  };
}
