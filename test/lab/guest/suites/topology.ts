import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import * as z from 'zod/v4';
import { pingPong, spin } from '../lib/load.ts';
import { type Server, startServer } from '../lib/server.ts';
import { canGoOffline, lscpu, setOnline } from '../lib/sysfs.ts';
import { until } from '../lib/until.ts';

const Topology = z.looseObject({
  nr_cpus: z.number(),
  nr_nodes: z.number(),
  nr_llcs: z.number(),
  offline: z.string(),
  nodes: z.array(z.looseObject({ id: z.number(), cpus: z.string() })),
  cpus: z.array(
    z.looseObject({
      id: z.number(),
      core_id: z.number(),
      llc_id: z.number(),
      node_id: z.number(),
    }),
  ),
});

const Cpus = z.looseObject({
  cpus: z.array(z.looseObject({ cpu_id: z.number(), nr_switches: z.number().nullable() })),
});
const Group = z.looseObject({
  nr_cpus: z.number(),
  util_pct: z.number(),
  min_util_pct: z.number(),
  max_util_pct: z.number(),
  nr_switches: z.number().nullable(),
});
const Llcs = z.looseObject({ llcs: z.array(Group.extend({ llc_id: z.number() })) });
const Nodes = z.looseObject({ nodes: z.array(Group.extend({ node_id: z.number() })) });

const places = await lscpu();
const last = Math.max(...places.map(({ cpu }) => cpu));
const distinct = (values: readonly number[]): number => new Set(values).size;

let server: Server;

describe('topology', { timeout: 120_000 }, () => {
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  test('every CPU is in the core, cache and node where lscpu sees it', async () => {
    const { cpus, nr_llcs, nr_nodes } = await server.read('topology://info', Topology);
    assert.deepEqual(
      cpus.map(({ id, core_id, node_id, llc_id }) => [id, core_id, node_id, llc_id]),
      places.map(({ cpu, core, node, llc }) => [cpu, core, node, llc]),
    );
    assert.equal(nr_nodes, distinct(places.map(({ node }) => node)));
    assert.equal(nr_llcs, distinct(places.map(({ llc }) => llc)));
  });

  test('caches and nodes have as many CPUs as lscpu counts in them', async () => {
    const { llcs } = await server.read('stats://aggregated/llc', Llcs);
    const { nodes } = await server.read('stats://aggregated/node', Nodes);
    for (const { llc_id, nr_cpus } of llcs) {
      assert.equal(nr_cpus, places.filter(({ llc }) => llc === llc_id).length);
    }
    for (const { node_id, nr_cpus } of nodes) {
      assert.equal(nr_cpus, places.filter(({ node }) => node === node_id).length);
    }
    assert.equal(sum(llcs.map(({ nr_cpus }) => nr_cpus)), places.length);
    assert.equal(sum(nodes.map(({ nr_cpus }) => nr_cpus)), places.length);
  });

  test('switches add up to those that the kernel counts, by CPU, cache and node', async () => {
    const load = pingPong('0');
    const [place] = places;
    try {
      for (const [kind, schema, busy] of [
        ['cpu', Cpus.transform(({ cpus }) => cpus), place?.cpu],
        ['llc', Llcs.transform(({ llcs }) => llcs), place?.llc],
        ['node', Nodes.transform(({ nodes }) => nodes), place?.node],
      ] as const) {
        const start = contextSwitches();
        const rows = await server.read(`stats://aggregated/${kind}?window_ms=3000`, schema);
        const kernel = contextSwitches() - start;
        const all = sum(rows.map(({ nr_switches }) => nr_switches ?? Number.NaN));
        // perf counts inside the time between the two looks at /proc/stat, for most of it.
        assert.ok(all <= kernel && all > kernel / 3, `${kind}: ${all} of the kernel's ${kernel}`);
        const there = rows.find((row) => idOf(row) === busy)?.nr_switches ?? 0;
        assert.ok(there > 0.8 * all, `${kind} ${busy} had ${there} of ${all}`);
      }
    } finally {
      await load.stop();
    }
  });

  test('a load that stays on the CPUs of one node shows on that node and its caches alone', {
    skip: distinct(places.map(({ node }) => node)) < 2 && 'the guest has one node: --topology',
  }, async () => {
    for (const busyNode of new Set(places.map(({ node }) => node))) {
      const inside = places.filter(({ node }) => node === busyNode);
      const load = spin(inside.length, inside.map(({ cpu }) => cpu).join(','));
      const busyLlcs = inside.map(({ llc }) => llc);
      try {
        await until(busyOf(busyNode), isBusy, 60_000);
        const { nodes } = await server.read('stats://aggregated/node?window_ms=3000', Nodes);
        for (const node of nodes) assertBusy(node, node.node_id === busyNode);
        const { llcs } = await server.read('stats://aggregated/llc?window_ms=3000', Llcs);
        for (const llc of llcs) assertBusy(llc, busyLlcs.includes(llc.llc_id));
      } finally {
        await load.stop();
      }
    }
  });

  test('a CPU that goes offline leaves the topology and the statistics, and comes back', {
    skip: !canGoOffline(last) && `CPU ${last} cannot go offline`,
  }, async () => {
    const ids = async () => {
      const { cpus } = await server.read('stats://aggregated/cpu', Cpus);
      return cpus.map(({ cpu_id }) => cpu_id);
    };
    try {
      await setOnline(last, false);
      const { nr_cpus, offline, cpus } = await server.read('topology://info', Topology);
      assert.equal(nr_cpus, places.length - 1);
      assert.equal(offline, String(last));
      assert.ok(cpus.every(({ id }) => id !== last));
      assert.ok(!(await ids()).includes(last));
    } finally {
      await setOnline(last, true);
    }
    const { nr_cpus, offline } = await server.read('topology://info', Topology);
    assert.equal(nr_cpus, places.length);
    assert.equal(offline, '');
    assert.ok((await ids()).includes(last));
  });
});

const isBusy = (busy_pct: number): boolean => busy_pct > 85;

/** How busy a node is, as the server sees it. */
function busyOf(node: number) {
  return async (): Promise<number> => {
    const { nodes } = await server.read('stats://aggregated/node?window_ms=1000', Nodes);
    return nodes.find(({ node_id }) => node_id === node)?.util_pct ?? 0;
  };
}

function assertBusy({ util_pct, ...row }: z.output<typeof Group>, isLoaded: boolean): void {
  const what = JSON.stringify({ util_pct, ...row });
  assert.ok(row.min_util_pct <= util_pct && util_pct <= row.max_util_pct, what);
  assert.equal(isBusy(util_pct), isLoaded, what);
  if (!isLoaded) assert.ok(util_pct < 50, what);
}

const idOf = (row: Readonly<{ cpu_id?: unknown; llc_id?: unknown; node_id?: unknown }>): unknown =>
  row.cpu_id ?? row.llc_id ?? row.node_id;

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

/** Of all CPUs since boot: the line "ctxt" of /proc/stat. */
const contextSwitches = (): number =>
  Number(/^ctxt (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);
