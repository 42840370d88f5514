import { parseMemInfo } from '../../parsers/meminfo/meminfo.ts';
import { type NumaStat, parseNumaStat } from '../../parsers/numastat/numastat.ts';
import type { Call, Context } from '../context.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import { windowMeter } from './counter-window.ts';
import { growth, percent } from './rates.ts';

export type NodeMemory = Readonly<{
  total_bytes: number;
  free_bytes: number;
  used_bytes: number;
}>;

/**
 * Of the page allocations that were made on this node, the share that tasks on CPUs of this node
 * asked for. It says where memory was taken, not where it is accessed from.
 */
export type NodeLocality = Readonly<{
  /** Null where nothing was allocated during the window. */
  local_pct: number | null;
  allocations: number;
  local_pct_since_boot: number | null;
}>;

const root = '/sys/devices/system/node';

/** Null where the kernel tells no memory of the node. `used` is all that is not free. */
export function readNodeMemory(files: HostFiles, node: number): NodeMemory | null {
  const { bytes } = parseMemInfo(files.text(`${root}/node${node}/meminfo`) ?? '').data;
  const [total_bytes, free_bytes] = [bytes['MemTotal'], bytes['MemFree']];
  if (total_bytes === undefined || free_bytes === undefined) return null;
  return { total_bytes, free_bytes, used_bytes: total_bytes - free_bytes };
}

const meter = windowMeter(({ files }) => {
  const names = (files.list(root) ?? []).filter((name) => /^node\d+$/.test(name));
  const stats = new Map<number, NumaStat>();
  for (const name of names) {
    const text = files.text(`${root}/${name}/numastat`);
    if (text !== null) stats.set(Number(name.slice('node'.length)), parseNumaStat(text));
  }
  return stats;
});

/** By node; a node without numastat has no entry. */
export async function measureLocality(
  ctx: Context,
  window_ms: number | undefined,
  call: Call,
): Promise<ReadonlyMap<number, NodeLocality>> {
  const { before, after } = await meter.measure(ctx, window_ms, call);
  const found = new Map<number, NodeLocality>();
  for (const [node, stat] of after) {
    const locality = localityBetween(before.get(node), stat);
    if (locality) found.set(node, locality);
  }
  return found;
}

function localityBetween(before: NumaStat | undefined, after: NumaStat): NodeLocality | null {
  const local = growth(before?.local_node, after.local_node);
  const other = growth(before?.other_node, after.other_node);
  if (local === null || other === null) return null;
  const ever = (after.local_node ?? 0) + (after.other_node ?? 0);
  return {
    local_pct: percent(local, local + other),
    allocations: local + other,
    local_pct_since_boot: percent(after.local_node, ever),
  };
}
