import { parseMemInfo } from '../../parsers/meminfo/meminfo.ts';
import { parseNodeDistance } from '../../parsers/node-distance/node-distance.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import { orNull, readCpuList } from './cpu-files.ts';

const root = '/sys/devices/system/node';

export type NumaNode = Readonly<{
  /** The kernel's id. */
  id: number;
  /** Online CPUs; none on a node that is memory only. */
  cpus: readonly number[];
  /** Cost of memory on each node, in the order of the nodes; 10 is local. Empty where unknown. */
  distances: readonly number[];
  memory_bytes: number | null;
}>;

/** The online nodes; null where the kernel shows none. */
export function readNumaNodes(
  files: HostFiles,
  online: readonly number[],
): readonly NumaNode[] | null {
  const ids = readCpuList(files, `${root}/online`) ?? [];
  if (ids.length === 0) return null;
  const visible = new Set(online);
  return ids.map((id) => {
    const distance = files.text(`${root}/node${id}/distance`) ?? '';
    const meminfo = files.text(`${root}/node${id}/meminfo`) ?? '';
    return {
      id,
      cpus: (readCpuList(files, `${root}/node${id}/cpulist`) ?? []).filter((c) => visible.has(c)),
      distances: orNull(() => parseNodeDistance(distance)) ?? [],
      memory_bytes: parseMemInfo(meminfo).data.bytes['MemTotal'] ?? null,
    };
  });
}
