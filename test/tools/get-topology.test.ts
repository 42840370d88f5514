import { rmSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { envelope, resourceDocument } from '../../src/answer.ts';
import { type Context, createContext } from '../../src/context.ts';
import { TracewrightError } from '../../src/errors.ts';
import { topologyInfo } from '../../src/resources/topology.ts';
import { getTopology } from '../../src/tools/scheduler/get-topology.ts';
import { bigLittle, bigServer, singleCpu, sparse } from '../fake-hosts.ts';
import { type FakeHost, writeFakeHost } from '../fake-topology.ts';

const roots: string[] = [];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

function contextOf(host: FakeHost): Context {
  const root = writeFakeHost(host);
  roots.push(root);
  return createContext({ daemon: false, readOnly: true }, root);
}

const call = { signal: new AbortController().signal, progress: () => {} };
const big = contextOf(bigServer());
const gaps = contextOf(sparse());

type Row = Readonly<Record<string, unknown>>;

async function ask(ctx: Context, args: object) {
  const reading = await getTopology.invoke(args, ctx, call);
  const data = reading.data as Readonly<Record<string, readonly Row[]>> & { summary: Row };
  return { reading, data };
}

const tokens = (answer: object): number => Buffer.byteLength(JSON.stringify(answer)) / 4;

/** 512 CPUs that share nothing, on 64 nodes: the most rows and the longest of each. */
function scattered(): FakeHost {
  const ids = Array.from({ length: 512 }, (_, id) => id);
  const nodes = ids.slice(0, 64);
  return {
    cpus: ids.map((id) => ({
      id,
      core_id: id,
      package_id: id >> 5,
      node: id & 63,
      caches: [{ level: 2, type: 'Unified' as const, size_kib: 1024, cpus: [id], id }],
      extra: { cpu_capacity: 1024 },
    })),
    nodes: nodes.map((id) => ({
      id,
      distances: nodes.map((to) => (to === id ? 10 : 254)),
      memory_kib: 1_000_000_000,
    })),
    policies: ids.map((id) => ({
      cpus: [id],
      files: {
        scaling_min_freq: 1_000_000,
        scaling_max_freq: 3_000_000,
        base_frequency: 2_000_000,
      },
    })),
  };
}

describe('get_topology', () => {
  test('answers with the documented counts and a hint by default', async () => {
    const { data } = await ask(big, {});
    expect(data.summary).toEqual({
      total_cpus: 512,
      nr_cpus: 512,
      cores: 256,
      nr_cores: 256,
      llcs: 32,
      nr_llcs: 32,
      numa_nodes: 8,
      nr_nodes: 8,
      smt_enabled: true,
      packages: 2,
      offline_cpus: 0,
      hybrid: false,
    });
    expect(data['hint']).toContain('full');
    expect(data['cpus']).toBeUndefined();
  });

  test('lists CPUs, cores, LLCs and nodes in full, frequencies in kHz', async () => {
    const { data } = await ask(big, { detail_level: 'full' });
    expect(data['cpus']?.[1]).toEqual({
      id: 1,
      core_id: 1,
      llc_id: 0,
      node_id: 0,
      online: true,
      min_freq: 1_500_000,
      max_freq: 3_700_000,
      base_freq: null,
      cpu_capacity: 972,
    });
    expect(data['cores']?.[0]).toEqual({ id: 0, span: [0, 256] });
    expect(data['llcs']?.[1]).toMatchObject({ id: 1, kernel_id: 1, level: 3 });
    expect(data['llcs']?.[1]?.['span']).toHaveLength(16);
    expect(data['nodes']?.[4]).toMatchObject({ id: 4, distance: [32, 32, 32, 32, 10, 12, 12, 12] });
  });

  test('says why a base frequency is missing', async () => {
    const { reading } = await ask(big, { detail_level: 'full' });
    expect(reading.unavailable?.map((entry) => entry.what)).toContain('cpus[].base_freq');
  });

  test('comes to every CPU once when its offset is followed', async () => {
    const seen: unknown[] = [];
    let args: object | null = { detail_level: 'full' };
    while (args) {
      const { reading, data } = await ask(big, args);
      seen.push(...(data['cpus'] ?? []).map((row) => row['id']));
      args = reading.next ? JSON.parse(reading.next.replace('get_topology ', '')) : null;
    }
    expect(seen).toEqual(Array.from({ length: 512 }, (_, id) => id));
  });

  test('leaves offline CPUs out unless asked', async () => {
    const without = await ask(gaps, { detail_level: 'full' });
    expect(without.data['cpus']?.map((row) => row['id'])).toEqual([0, 2, 5, 9]);
    expect(without.data.summary).toMatchObject({ total_cpus: 4, offline_cpus: 2 });

    const { data, reading } = await ask(gaps, { detail_level: 'full', include_offline: true });
    expect(data['cpus']?.map((row) => [row['id'], row['online'], row['node_id']])).toEqual([
      [0, true, 0],
      [2, true, 0],
      [3, false, 0],
      [5, true, 2],
      [7, false, 2],
      [9, true, 2],
    ]);
    expect(data.summary).toMatchObject({ total_cpus: 6, nr_cpus: 4 });
    expect(reading.unavailable?.map((entry) => entry.fix)).toContain(
      'echo 1 > /sys/devices/system/cpu/cpu3/online',
    );
  });

  test.each([
    { detail_level: 'everything' },
    { include_offline: 'yes' },
    { limit: 0 },
    { offset: 1.5 },
    { detail: 'full' },
  ])('refuses %j', async (args) => {
    await expect(getTopology.invoke(args, big, call)).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_PARAMS' }),
    );
    await expect(getTopology.invoke(args, big, call)).rejects.toBeInstanceOf(TracewrightError);
  });

  test('says out loud what it found', async () => {
    expect((await ask(big, {})).reading.summary).toEqual([
      '512 CPUs online: 256 cores with 2 threads each, 2 packages, 8 NUMA nodes.',
      '32 last-level caches (L3, 32 MiB), 16 CPUs each.',
    ]);
    expect((await ask(gaps, {})).reading.summary).toContain('Offline: CPUs 3,7.');
    expect((await ask(contextOf(bigLittle()), {})).reading.summary).toContain(
      'Hybrid: 4 performance and 4 efficiency CPUs.',
    );
    expect((await ask(contextOf(singleCpu()), {})).reading.summary[1]).toContain('assumed');
  });
});

describe('topology://info', () => {
  test('has the documented fields, and CPU lists as the kernel writes them', async () => {
    const { data } = await topologyInfo.read({}, gaps, call);
    expect(data).toMatchObject({
      nr_cpus: 4,
      nr_cores: 4,
      nr_llcs: 2,
      nr_nodes: 2,
      smt_active: false,
      packages: [
        { id: 0, cpus: '0,2' },
        { id: 4, cpus: '5,9' },
      ],
      offline: '3,7',
      nodes: [
        { id: 0, cpus: '0,2', distances: [10, 21], memory_bytes: 8_192_000_000 },
        { id: 2, cpus: '5,9', distances: [21, 10], memory_bytes: 8_192_001_024 },
      ],
      llcs: [
        { id: 0, level: 3, size_bytes: 8_388_608, cpus: '0,2', node_id: 0 },
        { id: 1, level: 3, size_bytes: 8_388_608, cpus: '5,9', node_id: 2 },
      ],
      cpus: [
        { id: 0, core_id: 0, llc_id: 0, node_id: 0 },
        { id: 2, core_id: 1, llc_id: 0, node_id: 0 },
        { id: 5, core_id: 2, llc_id: 1, node_id: 2 },
        { id: 9, core_id: 3, llc_id: 1, node_id: 2 },
      ],
    });
  });

  test('pages the CPUs and says where they go on', async () => {
    const first = await topologyInfo.read({}, big, call);
    expect(first).toMatchObject({
      truncated: true,
      total: 512,
      next: 'topology://info?limit=128&offset=128',
    });
    const last = await topologyInfo.read({ limit: '128', offset: '384' }, big, call);
    expect(last.next).toBeUndefined();
    expect(last.data).toMatchObject({ nr_llcs: 32 });
  });
});

describe('on 512 CPUs', () => {
  const worst = contextOf(scattered());

  test.each([
    { host: 'an ordinary server', ctx: big },
    { host: 'a server that shares no cache and has 64 nodes', ctx: worst },
  ])('$host stays below 10,000 tokens', async ({ ctx }) => {
    for (const args of [{}, { detail_level: 'full' }, { detail_level: 'full', limit: 512 }]) {
      const reading = await getTopology.invoke(args, ctx, call);
      expect(tokens(envelope('get_topology', reading, ctx, 0))).toBeLessThan(9000);
    }
    for (const query of [{}, { limit: '512' }]) {
      const reading = await topologyInfo.read(query, ctx, call);
      expect(tokens(resourceDocument(reading, ctx))).toBeLessThan(9000);
    }
  });
});
