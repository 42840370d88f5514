import { formatCpuList } from '../../parsers/cpu-list/cpu-list.ts';
import { parseProcStat } from '../../parsers/proc-stat/proc-stat.ts';
import { TracewrightError } from '../errors.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import { type CoreType, readCoreTypes } from './core-types.ts';
import { type LlcDomain, readCpuCaches } from './cpu-caches.ts';
import { cpu_root, cpuFolder, orNull, readCpuList } from './cpu-files.ts';
import {
  type Capacities,
  type CpuFrequency,
  readCapacities,
  readFrequencies,
} from './cpu-frequencies.ts';
import { type CpuGroups, groupCpus } from './cpu-groups.ts';
import { type NumaNode, readNumaNodes } from './numa-nodes.ts';

/** An online CPU. `id`, `node_id` and `package_id` are the kernel's; the others count from 0. */
export type TopologyCpu = Readonly<
  {
    id: number;
    core_id: number;
    llc_id: number;
    /** Null where the kernel tells of no L2. */
    l2_id: number | null;
    package_id: number;
    node_id: number;
    /** The other online threads of its core. */
    smt_sibling_cpus: readonly number[];
    /** Null on processors with one kind of core. */
    core_type: CoreType | null;
    /** Strength, 1024 being the strongest CPU of this host. */
    capacity: number | null;
  } & CpuFrequency
>;

/** kernel_id is unique within a package and die only. */
type TopologyCore = Readonly<{
  id: number;
  kernel_id: number | null;
  cpus: readonly number[];
  package_id: number;
}>;

/** node_id is null where the cache spans nodes (sub-NUMA clustering). */
type TopologyLlc = LlcDomain & Readonly<{ id: number; node_id: number | null }>;

/** How the online CPUs of the host are put together. Every list of CPU ids ascends. */
export type Topology = Readonly<{
  cpus: readonly TopologyCpu[];
  cores: readonly TopologyCore[];
  llcs: readonly TopologyLlc[];
  nodes: readonly NumaNode[];
  packages: readonly Readonly<{ id: number; cpus: readonly number[] }>[];
  /** True where threads of one core run side by side; null where nothing tells. */
  smt_active: boolean | null;
  capacity_source: Capacities['source'];
  online: readonly number[];
  /** Present in the host and not running. */
  offline: readonly number[];
  /** What had to be assumed, in words. */
  notes: readonly string[];
}>;

/**
 * Reads the topology from sysfs, afresh each time because CPUs come and go while the server runs.
 * What a list says of its CPUs is read once per list, not once per CPU. FEATURE_UNAVAILABLE where
 * nothing names the online CPUs.
 */
export function readTopology(files: HostFiles): Topology {
  const notes: string[] = [];
  const online = readOnline(files, notes);
  const nodes = readNodes(files, online, notes);
  const nodeOf = placeOnNodes(nodes, online, notes);
  const packages = readPackages(files, online, notes);
  const packageOf = new Map(packages.flatMap(({ id, cpus }) => cpus.map((cpu) => [cpu, id])));
  const placeOf = (cpu: number): string => `${nodeOf.get(cpu)} ${packageOf.get(cpu)}`;
  const cores = readCores(files, online, placeOf, notes);
  const caches = readCpuCaches(files, online, (cpu) => packageOf.get(cpu) ?? 0);
  const capacities = readCapacities(files, cores.groups);
  const coreTypes = readCoreTypes(files, capacities);
  const frequencies = readFrequencies(files, online);
  const llcs = caches.llcs.map((llc, id) => ({ id, ...llc, node_id: nodeOfAll(llc.cpus, nodeOf) }));
  notes.push(...notesOnLlcs(llcs));

  return {
    cpus: online.map((id) => {
      const core_id = cores.of.get(id) ?? 0;
      return {
        id,
        core_id,
        llc_id: caches.llc.of.get(id) ?? 0,
        l2_id: caches.l2.of.get(id) ?? null,
        package_id: packageOf.get(id) ?? 0,
        node_id: nodeOf.get(id) ?? 0,
        smt_sibling_cpus: (cores.groups[core_id] ?? []).filter((cpu) => cpu !== id),
        core_type: coreTypes.get(id) ?? null,
        capacity: capacities.of.get(id) ?? null,
        ...(frequencies.get(id) ?? no_frequency),
      };
    }),
    cores: cores.groups.map((cpus, id) => ({
      id,
      kernel_id: files.number(`${cpuFolder(cpus[0] ?? 0)}/topology/core_id`),
      cpus,
      package_id: packageOf.get(cpus[0] ?? 0) ?? 0,
    })),
    llcs,
    nodes,
    packages,
    smt_active: smtActive(files, cores),
    capacity_source: capacities.source,
    online,
    offline: readOffline(files, online),
    notes,
  };
}

const no_frequency: CpuFrequency = { min_freq_hz: null, max_freq_hz: null, base_freq_hz: null };

/** Containers can hide /sys; /proc/stat has a line for each online CPU. */
function readOnline(files: HostFiles, notes: string[]): readonly number[] {
  const told = readCpuList(files, `${cpu_root}/online`) ?? [];
  if (told.length > 0) return told;
  const stat = files.text('/proc/stat') ?? '';
  const counted = orNull(() => parseProcStat(stat).data.cpus.map(({ cpu }) => cpu)) ?? [];
  if (counted.length === 0) {
    throw new TracewrightError(
      'FEATURE_UNAVAILABLE',
      `Neither ${cpu_root}/online nor /proc/stat names the CPUs of this host.`,
      'Run `cat /sys/devices/system/cpu/online`; in a container, let it see /sys and /proc.',
    );
  }
  notes.push(`${cpu_root}/online cannot be read: the online CPUs are those of /proc/stat.`);
  return counted;
}

/** The node of an offline CPU: nodeN/cpulist leaves it out, the link in its folder stays. */
export function offlineNode(files: HostFiles, cpu: number): number | null {
  const names = files.list(cpuFolder(cpu)) ?? [];
  const id = names.map((name) => /^node(\d+)$/.exec(name)?.[1]).find((each) => each !== undefined);
  return id === undefined ? null : Number(id);
}

/** The kernel's own list also names CPUs that are possible and not there. */
function readOffline(files: HostFiles, online: readonly number[]): readonly number[] {
  const running = new Set(online);
  const present =
    readCpuList(files, `${cpu_root}/present`) ?? readCpuList(files, `${cpu_root}/offline`) ?? [];
  return present.filter((cpu) => !running.has(cpu));
}

function readNodes(
  files: HostFiles,
  online: readonly number[],
  notes: string[],
): readonly NumaNode[] {
  const told = readNumaNodes(files, online);
  if (told !== null) return told;
  notes.push('The kernel shows no NUMA nodes: all CPUs are taken to be on node 0.');
  return [{ id: 0, cpus: online, distances: [], memory_bytes: null }];
}

function placeOnNodes(
  nodes: readonly NumaNode[],
  online: readonly number[],
  notes: string[],
): ReadonlyMap<number, number> {
  const placed = new Map<number, number>();
  for (const { id, cpus } of nodes) for (const cpu of cpus) placed.set(cpu, id);
  const lost = online.filter((cpu) => !placed.has(cpu));
  const first = nodes[0]?.id ?? 0;
  for (const cpu of lost) placed.set(cpu, first);
  if (lost.length > 0) {
    notes.push(`No node names CPUs ${formatCpuList(lost)}: they are taken to be on node ${first}.`);
  }
  return placed;
}

/** core_siblings_list is what Linux before 5.3 calls package_cpus_list. */
function readPackages(
  files: HostFiles,
  online: readonly number[],
  notes: string[],
): Topology['packages'] {
  const idOf = (cpu: number): number =>
    files.number(`${cpuFolder(cpu)}/topology/physical_package_id`) ?? -1;
  const { groups } = groupCpus(online, (cpu) => {
    const id = idOf(cpu);
    if (id < 0) return 'unknown';
    const folder = `${cpuFolder(cpu)}/topology`;
    return (
      readCpuList(files, `${folder}/package_cpus_list`) ??
      readCpuList(files, `${folder}/core_siblings_list`) ??
      `package ${id}`
    );
  });
  return groups.map((cpus) => {
    const id = idOf(cpus[0] ?? 0);
    if (id >= 0) return { id, cpus };
    notes.push(`The kernel tells no package of CPUs ${formatCpuList(cpus)}: taken as package 0.`);
    return { id: 0, cpus };
  });
}

/**
 * The kernel's lists of siblings; where they are missing, CPUs of one node, package, die and core_id
 * (core_id alone repeats in each package), and where that is missing too, each CPU for itself.
 */
function readCores(
  files: HostFiles,
  online: readonly number[],
  placeOf: (cpu: number) => string,
  notes: string[],
): CpuGroups {
  const alone: number[] = [];
  const groups = groupCpus(online, (cpu) => {
    const folder = `${cpuFolder(cpu)}/topology`;
    const siblings =
      readCpuList(files, `${folder}/core_cpus_list`) ??
      readCpuList(files, `${folder}/thread_siblings_list`);
    if (siblings !== null) return siblings;
    const core_id = files.number(`${folder}/core_id`);
    if (core_id === null) {
      alone.push(cpu);
      return [cpu];
    }
    return `${placeOf(cpu)} ${files.number(`${folder}/die_id`)} ${core_id}`;
  });
  if (alone.length > 0) {
    notes.push(`The kernel tells no core of CPUs ${formatCpuList(alone)}: each is taken for one.`);
  }
  return groups;
}

function smtActive(files: HostFiles, cores: CpuGroups): boolean | null {
  const told = files.number(`${cpu_root}/smt/active`);
  if (told !== null) return told === 1;
  // Architectures without a switch for SMT have no such file.
  return cores.groups.some((cpus) => cpus.length > 1) ? true : null;
}

function nodeOfAll(cpus: readonly number[], nodeOf: ReadonlyMap<number, number>): number | null {
  const nodes = new Set(cpus.map((cpu) => nodeOf.get(cpu)));
  return nodes.size === 1 ? ([...nodes][0] ?? null) : null;
}

function notesOnLlcs(llcs: readonly TopologyLlc[]): string[] {
  const notes: string[] = [];
  const assumed = llcs.filter((llc) => llc.assumed).flatMap((llc) => llc.cpus);
  if (assumed.length > 0) {
    notes.push(
      `The kernel tells no L2 or L3 of CPUs ${formatCpuList(assumed)}: those of a package are ` +
        'taken to share one last-level cache.',
    );
  }
  const across = llcs.filter((llc) => llc.node_id === null).length;
  if (across > 0) {
    notes.push(`${across} last-level caches serve CPUs of more than one NUMA node (node_id null).`);
  }
  return notes;
}
