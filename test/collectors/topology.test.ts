import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { offlineNode, readTopology, type Topology } from '../../src/collectors/topology.ts';
import { hostFiles } from '../../src/procfs/host-files.ts';
import {
  bigLittle,
  bigServer,
  hybridClient,
  memoryOnlyNode,
  singleCpu,
  sparse,
} from '../fake-hosts.ts';
import { emptyFolder, type FakeHost, writeFakeHost } from '../fake-topology.ts';

const roots: string[] = [];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

function rootOf(host: FakeHost): string {
  const root = writeFakeHost(host);
  roots.push(root);
  return root;
}

const read = (host: FakeHost): Topology => readTopology(hostFiles(rootOf(host)));

const cpuOf = (topology: Topology, id: number) => topology.cpus.find((cpu) => cpu.id === id)!;

describe('a server of 512 CPUs on 8 nodes', () => {
  const topology = read(bigServer());

  test('has each core, cache, node and package once', () => {
    const { cpus, cores, llcs, nodes, packages } = topology;
    expect([cpus, cores, llcs, nodes, packages].map((list) => list.length)).toEqual([
      512, 256, 32, 8, 2,
    ]);
    expect(topology.notes).toEqual([]);
  });

  test('keeps cores of two packages apart that share a core_id', () => {
    const same = topology.cores.filter((core) => core.kernel_id === 5);
    expect(same.map((core) => [core.package_id, core.cpus])).toEqual([
      [0, [5, 261]],
      [1, [133, 389]],
    ]);
    expect(cpuOf(topology, 5).core_id).not.toBe(cpuOf(topology, 133).core_id);
  });

  test('joins the two threads of a core', () => {
    expect(topology.smt_active).toBe(true);
    expect(cpuOf(topology, 0).smt_sibling_cpus).toEqual([256]);
    expect(cpuOf(topology, 256).core_id).toBe(cpuOf(topology, 0).core_id);
  });

  test('ranks CPUs by the first source there is, 1024 being the best', () => {
    expect(topology.capacity_source).toBe('cpufreq/amd_pstate_prefcore_ranking');
    expect(cpuOf(topology, 0).capacity).toBe(1024);
    expect(cpuOf(topology, 1).capacity).toBe(Math.round((186 / 196) * 1024));
  });

  test('does not take favoured cores for another kind of core', () => {
    expect(topology.cpus.every((cpu) => cpu.core_type === null)).toBe(true);
  });

  test('gives frequencies in Hz, and none that the driver does not tell', () => {
    expect(cpuOf(topology, 511)).toMatchObject({
      min_freq_hz: 1.5e9,
      max_freq_hz: 3.7e9,
      base_freq_hz: null,
    });
  });

  test('has distances and memory of each node', () => {
    expect(topology.nodes[5]).toMatchObject({
      distances: [32, 32, 32, 32, 12, 10, 12, 12],
      memory_bytes: 197_000_005 * 1024,
    });
    expect(topology.nodes[5]?.cpus).toHaveLength(64);
  });
});

describe('a hybrid processor', () => {
  const topology = read(hybridClient());

  test('has both kinds of core, as the kernel lists them', () => {
    const kinds = topology.cpus.map((cpu) => cpu.core_type);
    expect(kinds.slice(0, 8).every((kind) => kind === 'performance')).toBe(true);
    expect(kinds.slice(8).every((kind) => kind === 'efficiency')).toBe(true);
    expect(topology.cores).toHaveLength(12);
  });

  test('shares an L2 among four efficiency cores and not between performance cores', () => {
    expect(topology.cpus.map((cpu) => cpu.l2_id)).toEqual([
      0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5,
    ]);
  });

  test('is told apart by the lists of CPU types too, where a kernel has those', () => {
    const types = 'sys/devices/system/cpu/types';
    const extra = {
      [`${types}/intel_core_0/cpulist`]: '0-7',
      [`${types}/intel_atom_0/cpulist`]: '8-15',
    };
    const other = read({ ...hybridClient(), extra });
    expect(other.cpus.map((cpu) => cpu.core_type)).toEqual(
      topology.cpus.map((cpu) => cpu.core_type),
    );
  });

  test('has a base frequency per kind', () => {
    expect(cpuOf(topology, 0).base_freq_hz).toBe(3.2e9);
    expect(cpuOf(topology, 15).base_freq_hz).toBe(2.4e9);
  });
});

describe('arm without L3, cache ids or nodes', () => {
  const topology = read(bigLittle());

  test('takes the L2 of a cluster as the last level', () => {
    expect(topology.llcs).toMatchObject([
      { id: 0, kernel_id: null, level: 2, size_bytes: 1_048_576, cpus: [0, 1, 2, 3] },
      { id: 1, kernel_id: null, level: 2, size_bytes: 1_048_576, cpus: [4, 5, 6, 7] },
    ]);
  });

  test('tells big from little by the capacity that the kernel gives', () => {
    expect(cpuOf(topology, 0)).toMatchObject({ core_type: 'efficiency', capacity: 446 });
    expect(cpuOf(topology, 7)).toMatchObject({ core_type: 'performance', capacity: 1024 });
  });

  test('gives the CPUs of a shared frequency policy the same limits', () => {
    expect(topology.cpus.map((cpu) => cpu.max_freq_hz)).toEqual([
      1.8e9, 1.8e9, 1.8e9, 1.8e9, 2.4e9, 2.4e9, 2.4e9, 2.4e9,
    ]);
  });

  test('says that node 0 is assumed and does not know SMT', () => {
    expect(topology.nodes).toMatchObject([{ id: 0, distances: [], memory_bytes: null }]);
    expect(topology.notes.join()).toContain('node 0');
    expect(topology.smt_active).toBeNull();
  });
});

describe('ids with gaps and offline CPUs', () => {
  const root = rootOf(sparse());
  const topology = readTopology(hostFiles(root));

  test('keeps the ids of CPUs, nodes and packages and counts cores and caches from 0', () => {
    expect(topology.cpus).toMatchObject([
      { id: 0, core_id: 0, llc_id: 0, node_id: 0, package_id: 0 },
      { id: 2, core_id: 1, llc_id: 0, node_id: 0, package_id: 0 },
      { id: 5, core_id: 2, llc_id: 1, node_id: 2, package_id: 4 },
      { id: 9, core_id: 3, llc_id: 1, node_id: 2, package_id: 4 },
    ]);
    expect(topology.llcs.map((llc) => llc.kernel_id)).toEqual([0, 4]);
  });

  test('lists offline CPUs without those that could only be added', () => {
    expect(topology.offline).toEqual([3, 7]);
  });

  test('finds the node of an offline CPU by its link', () => {
    expect(offlineNode(hostFiles(root), 3)).toBe(0);
    expect(offlineNode(hostFiles(root), 7)).toBe(2);
  });

  test('sees a CPU go offline between two reads', () => {
    const other = rootOf(sparse());
    const files = hostFiles(other);
    expect(readTopology(files).online).toEqual([0, 2, 5, 9]);
    writeFileSync(join(other, 'sys/devices/system/cpu/online'), '0,2,5\n');
    expect(readTopology(files).online).toEqual([0, 2, 5]);
    expect(readTopology(files).offline).toEqual([3, 7, 9]);
  });
});

test('one CPU without caches gets one last-level cache that says it is assumed', () => {
  const topology = read(singleCpu());
  expect(topology.llcs).toMatchObject([
    { id: 0, kernel_id: null, level: null, size_bytes: null, cpus: [0], assumed: true },
  ]);
  expect(topology.cpus[0]?.l2_id).toBeNull();
  expect(topology.notes.join()).toContain('no L2 or L3 of CPUs 0');
});

test('a node of memory alone is a node, and an L3 across nodes belongs to none', () => {
  const topology = read(memoryOnlyNode());
  expect(topology.nodes[2]).toEqual({
    id: 2,
    cpus: [],
    distances: [24, 24, 10],
    memory_bytes: 32_000_000 * 1024,
  });
  expect(topology.llcs).toMatchObject([{ node_id: null, cpus: [0, 1, 2, 3] }]);
});

describe('a host that hides files', () => {
  const folder = (): string => {
    const root = emptyFolder();
    roots.push(root);
    return root;
  };

  test('counts the CPUs of /proc/stat where /sys is hidden, and says so', () => {
    const root = folder();
    mkdirSync(join(root, 'proc'));
    const line = '1 0 1 100 0 0 0 0 0 0';
    writeFileSync(join(root, 'proc/stat'), `cpu  ${line}\ncpu0 ${line}\ncpu3 ${line}\nctxt 5\n`);
    const topology = readTopology(hostFiles(root));
    expect(topology.online).toEqual([0, 3]);
    expect(topology.cores).toHaveLength(2);
    expect(topology.notes.join()).toContain('/proc/stat');
  });

  test('is refused where nothing names a CPU', () => {
    expect(() => readTopology(hostFiles(folder()))).toThrow(
      expect.objectContaining({ code: 'FEATURE_UNAVAILABLE' }),
    );
  });

  test('shows no CPU that the container does not see', () => {
    const root = rootOf(memoryOnlyNode());
    writeFileSync(join(root, 'sys/devices/system/cpu/online'), '1-2\n');
    const topology = readTopology(hostFiles(root));
    expect(topology.llcs[0]?.cpus).toEqual([1, 2]);
    expect(topology.nodes.map((node) => node.cpus)).toEqual([[1], [2], []]);
  });

  test('finds cores by package, die and core_id where the lists of siblings are missing', () => {
    const cpus = Array.from({ length: 8 }, (_, id) => ({
      id,
      core_id: id & 1,
      package_id: id & 4 ? 1 : 0,
      node: 0,
    }));
    const root = rootOf({ cpus, nodes: [] });
    const withLists = readTopology(hostFiles(root)).cores;
    for (const { id } of cpus) {
      for (const name of ['core_cpus_list', 'thread_siblings_list']) {
        rmSync(join(root, `sys/devices/system/cpu/cpu${id}/topology/${name}`));
      }
    }
    expect(readTopology(hostFiles(root)).cores).toEqual(withLists);
    expect(withLists.map((core) => core.cpus)).toEqual([
      [0, 2],
      [1, 3],
      [4, 6],
      [5, 7],
    ]);
  });

  test('goes on to the next file where a list is torn', () => {
    const root = rootOf(memoryOnlyNode());
    writeFileSync(join(root, 'sys/devices/system/cpu/cpu0/topology/core_cpus_list'), '0-');
    expect(readTopology(hostFiles(root)).cores.map((core) => core.cpus)).toEqual([
      [0],
      [1],
      [2],
      [3],
    ]);
  });
});

describe.each(readdirSync('fixtures/hosts'))('fixtures/hosts/%s', (name) => {
  const folder = `fixtures/hosts/${name}`;

  test('says where it was recorded', () => {
    expect(readFileSync(`${folder}/provenance.txt`, 'utf8')).toMatch(/^origin: recorded/);
  });

  test('gives its golden topology', async () => {
    const result = `${JSON.stringify(readTopology(hostFiles(folder)), null, 2)}\n`;
    await expect(result).toMatchFileSnapshot(`../../${folder}/topology.json`);
  });
});
