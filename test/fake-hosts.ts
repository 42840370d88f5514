import type { FakeCache, FakeCpu, FakeHost } from './fake-topology.ts';

const range = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => from + index);

type Shared = Readonly<{ size_kib: number; cpus: readonly number[]; id?: number }>;

/** L1d, L1i, L2 and perhaps L3 in the order in which the kernel numbers them. */
function caches(l1: Shared, l2: Shared, l3?: Shared): FakeCache[] {
  return [
    { level: 1, type: 'Data', ...l1 },
    { level: 1, type: 'Instruction', ...l1 },
    { level: 2, type: 'Unified', ...l2 },
    ...(l3 ? [{ level: 3, type: 'Unified' as const, ...l3 }] : []),
  ];
}

/**
 * Two packages of 128 cores with two threads each (CPU n and n + 256), four nodes a package, eight
 * cores to an L3. core_id starts at 0 in both packages.
 */
export function bigServer(): FakeHost {
  const cpus = range(0, 512).map((id): FakeCpu => {
    const core = id % 256;
    const threads = [core, core + 256];
    const ccx = Math.floor(core / 8);
    const l3_cpus = [...range(ccx * 8, 8), ...range(ccx * 8 + 256, 8)];
    return {
      id,
      core_id: core % 128,
      package_id: Math.floor(core / 128),
      node: Math.floor(core / 32),
      caches: caches(
        { size_kib: 32, cpus: threads, id: core },
        { size_kib: 1024, cpus: threads, id: core },
        { size_kib: 32_768, cpus: l3_cpus, id: ccx },
      ),
      extra: { cpu_capacity: 1024, 'acpi_cppc/highest_perf': core % 2 === 0 ? 196 : 186 },
    };
  });
  const nodes = range(0, 8).map((id) => ({
    id,
    distances: range(0, 8).map((to) => (to === id ? 10 : to >> 2 === id >> 2 ? 12 : 32)),
    memory_kib: 197_000_000 + id,
  }));
  const policies = range(0, 512).map((id) => ({
    cpus: [id],
    files: {
      scaling_min_freq: 1_500_000,
      scaling_max_freq: 3_700_000,
      cpuinfo_min_freq: 400_000,
      cpuinfo_max_freq: 3_700_000,
      amd_pstate_prefcore_ranking: id % 2 === 0 ? 196 : 186,
      amd_pstate_highest_perf: 196,
    },
  }));
  return { cpus, nodes, policies, smt_active: 1 };
}

/** Four performance cores with two threads each, eight efficiency cores in two L2 clusters. */
export function hybridClient(): FakeHost {
  const l3 = { size_kib: 24_576, cpus: range(0, 16), id: 0 };
  const cpus = range(0, 16).map((id): FakeCpu => {
    const strong = id < 8;
    const own = strong ? [id & ~1, id | 1] : [id];
    const l2_cpus = strong ? own : range(8 + ((id - 8) & ~3), 4);
    const core_id = strong ? (id >> 1) * 4 : 24 + id;
    const l1 = { size_kib: strong ? 48 : 32, cpus: own, id: core_id };
    const l2 = { size_kib: strong ? 1280 : 2048, cpus: l2_cpus, id: core_id };
    return { id, core_id, package_id: 0, node: 0, caches: caches(l1, l2, l3) };
  });
  const policies = cpus.map(({ id }) => ({
    cpus: [id],
    files: {
      scaling_min_freq: 800_000,
      scaling_max_freq: id < 8 ? 5_000_000 : 3_800_000,
      cpuinfo_max_freq: id < 8 ? 5_000_000 : 3_800_000,
      base_frequency: id < 8 ? 3_200_000 : 2_400_000,
    },
  }));
  const extra = { 'sys/devices/cpu_core/cpus': '0-7', 'sys/devices/cpu_atom/cpus': '8-15' };
  return { cpus, nodes: oneNode, policies, smt_active: 1, extra };
}

const oneNode = [{ id: 0, distances: [10], memory_kib: 16_000_000 }];

/** Arm: four little and four big cores, an L2 each cluster, no L3, no cache ids, no smt file. */
export function bigLittle(): FakeHost {
  const cpus = range(0, 8).map((id): FakeCpu => {
    const cluster = range(id & ~3, 4);
    return {
      id,
      core_id: id & 3,
      package_id: 0,
      die_id: id >> 2,
      node: 0,
      caches: caches({ size_kib: 64, cpus: [id] }, { size_kib: 1024, cpus: cluster }),
      extra: { cpu_capacity: id < 4 ? 446 : 1024 },
    };
  });
  const policies = [0, 4].map((first) => ({
    cpus: range(first, 4),
    files: { scaling_min_freq: 500_000, scaling_max_freq: first === 0 ? 1_800_000 : 2_400_000 },
  }));
  return { cpus, nodes: [], policies };
}

/** CPUs 0, 2, 5 and 9 run, 3 and 7 are offline, 10 to 15 could be added; nodes 0 and 2. */
export function sparse(): FakeHost {
  const cpus = [0, 2, 3, 5, 7, 9].map((id): FakeCpu => {
    const first = id < 5;
    const l3_cpus = first ? [0, 2] : [5, 9];
    return {
      id,
      core_id: id,
      package_id: first ? 0 : 4,
      node: first ? 0 : 2,
      offline: id === 3 || id === 7,
      caches: caches(
        { size_kib: 32, cpus: [id], id },
        { size_kib: 512, cpus: [id], id },
        { size_kib: 8192, cpus: l3_cpus, id: first ? 0 : 4 },
      ),
    };
  });
  const nodes = [
    { id: 0, distances: [10, 21], memory_kib: 8_000_000 },
    { id: 2, distances: [21, 10], memory_kib: 8_000_001 },
  ];
  return { cpus, nodes, smt_active: 0, possible: '0,2-3,5,7,9-15' };
}

/** A small virtual machine: one CPU, no cache folder, no nodes. */
export function singleCpu(): FakeHost {
  return { cpus: [{ id: 0, core_id: 0, package_id: 0, node: 0 }], nodes: [] };
}

/** Two nodes with CPUs and one that is memory only (CXL), in one package with one L3 over both. */
export function memoryOnlyNode(): FakeHost {
  const cpus = range(0, 4).map(
    (id): FakeCpu => ({
      id,
      core_id: id,
      package_id: 0,
      node: id >> 1,
      caches: caches(
        { size_kib: 32, cpus: [id], id },
        { size_kib: 1024, cpus: [id], id },
        { size_kib: 16_384, cpus: range(0, 4), id: 0 },
      ),
    }),
  );
  const nodes = [
    { id: 0, distances: [10, 12, 24], memory_kib: 4_000_000 },
    { id: 1, distances: [12, 10, 24], memory_kib: 4_000_000 },
    { id: 2, distances: [24, 24, 10], memory_kib: 32_000_000 },
  ];
  return { cpus, nodes, smt_active: 0 };
}
