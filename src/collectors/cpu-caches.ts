import type { HostFiles } from '../procfs/host-files.ts';
import { cpuFolder, readCpuList } from './cpu-files.ts';
import { type CpuGroups, groupCpus } from './cpu-groups.ts';

/** A domain of CPUs that share a last-level cache. */
export type LlcDomain = Readonly<{
  cpus: readonly number[];
  /** What the kernel calls the cache; null where it gives caches no id (many arm machines). */
  kernel_id: number | null;
  /** 3, or 2 where there is no L3; null where the domain is assumed. */
  level: number | null;
  size_bytes: number | null;
  /** The kernel tells nothing of L2 or L3: the CPUs of a package are taken to share one. */
  assumed: boolean;
}>;

export type CpuCaches = Readonly<{ llcs: readonly LlcDomain[]; llc: CpuGroups; l2: CpuGroups }>;

/** Folders of the caches of one CPU that matter here. */
type CacheFolders = Readonly<{ l2: string | null; l3: string | null }>;

/** Who shares an L2, and who shares a last-level cache: L3, else L2, else (assumed) a package. */
export function readCpuCaches(
  files: HostFiles,
  cpus: readonly number[],
  packageOf: (cpu: number) => number,
): CpuCaches {
  const seen = new Map<number, CacheFolders>();

  function folders(cpu: number): CacheFolders {
    const known = seen.get(cpu);
    if (known) return known;
    const found = findCaches(files, cpu);
    seen.set(cpu, found);
    return found;
  }

  // The list of sharers is the identity: ids are missing on many machines, lists never are.
  const sharers = (folder: string): readonly number[] | null =>
    readCpuList(files, `${folder}/shared_cpu_list`);

  const llc = groupCpus(cpus, (cpu) => {
    const { l2, l3 } = folders(cpu);
    const folder = l3 ?? l2;
    return (folder === null ? null : sharers(folder)) ?? `package ${packageOf(cpu)}`;
  });
  const l2 = groupCpus(cpus, (cpu) => {
    const folder = folders(cpu).l2;
    return folder === null ? null : sharers(folder);
  });
  const llcs = llc.groups.map((members): LlcDomain => {
    const { l2: second, l3: third } = folders(members[0] ?? 0);
    const folder = third ?? second;
    if (folder === null) {
      return { cpus: members, kernel_id: null, level: null, size_bytes: null, assumed: true };
    }
    return {
      cpus: members,
      kernel_id: files.number(`${folder}/id`),
      level: third === null ? 2 : 3,
      size_bytes: cacheBytes(files.text(`${folder}/size`)),
      assumed: false,
    };
  });
  return { llcs, llc, l2 };
}

/** From the last index down: the outer caches come last, and the L1 pair need not be opened. */
function findCaches(files: HostFiles, cpu: number): CacheFolders {
  const parent = `${cpuFolder(cpu)}/cache`;
  const names = (files.list(parent) ?? []).filter((name) => /^index\d+$/.test(name)).sort();
  let l2: string | null = null;
  let l3: string | null = null;
  for (const name of names.reverse()) {
    const folder = `${parent}/${name}`;
    const level = files.number(`${folder}/level`);
    if (level === 3) l3 = folder;
    if (level === 2) l2 = folder;
    if (level === 2 || level === 1) break;
  }
  return { l2, l3 };
}

/** `32768K` as bytes: drivers/base/cacheinfo.c always writes K. */
function cacheBytes(text: string | null): number | null {
  const kib = /^(\d+)K\s*$/.exec(text ?? '')?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}
