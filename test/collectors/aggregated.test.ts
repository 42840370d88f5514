import { describe, expect, test } from 'vitest';
import { type CpuRow, collectAggregatedCpu } from '../../src/collectors/aggregated-cpu.ts';
import { collectAggregatedLlc } from '../../src/collectors/aggregated-llc.ts';
import { collectAggregatedNode } from '../../src/collectors/aggregated-node.ts';
import type { Context } from '../../src/context.ts';
import { ended } from '../ended.ts';
import { call, fakeHost, type HostFilesNow, procStat, scriptedContext } from '../fake-host.ts';
import { bigServer, memoryOnlyNode } from '../fake-hosts.ts';
import { writeFakeHost } from '../fake-topology.ts';

const cpus = Array.from({ length: 512 }, (_, cpu) => cpu);

/** CPU n is busy n/512 of the time; CPUs 0-7 and 256-263 are those of the first LLC. */
const stat = (seconds: number): string =>
  procStat(
    Object.fromEntries(cpus.map((cpu) => [cpu, `${cpu * seconds} 0 0 ${(512 - cpu) * seconds}`])),
  );

const schedstat = (seconds: number): string => {
  const lines = cpus.map(
    (cpu) => `cpu${cpu} 0 0 0 0 ${seconds * 3} 0 0 ${seconds * 123_456_789} ${seconds * 1234}`,
  );
  return `version 17\ntimestamp 1\n${lines.join('\n')}\n`;
};

const perfOutput = ['context-switches', 'cpu-migrations']
  .flatMap((event) =>
    cpus.map((cpu) =>
      JSON.stringify({
        cpu: `${cpu}`,
        'counter-value': `${cpu * 1000}.000000`,
        event,
        'event-runtime': 1_000_000_000,
        'pcnt-running': 100,
      }),
    ),
  )
  .join('\n');

const numastat = (local: number, other: number): string =>
  `numa_hit 0\nlocal_node ${local}\nother_node ${other}\n`;

const pidStat = (pid: number, comm: string, ticks: number, cpu: number): string =>
  `${pid} (${comm}) R 1 1 1 0 -1 0 0 0 0 0 ${ticks} 0 0 0 20 0 1 0 77 0 0 ${'0 '.repeat(14)}${cpu} 0 0 0\n`;

const moment = (seconds: number): HostFilesNow => ({
  'proc/stat': stat(seconds),
  'proc/schedstat': schedstat(seconds),
  'proc/sys/kernel/perf_event_paranoid': '2\n',
  'proc/sys/kernel/sched_schedstats': '1\n',
  'sys/devices/system/node/node0/meminfo':
    'Node 0 MemTotal:  1000 kB\nNode 0 MemFree:  400 kB\nNode 0 MemUsed:  600 kB\n',
  'sys/devices/system/node/node0/numastat': numastat(100 + 90 * seconds, 10 * seconds),
  'proc/41/stat': pidStat(41, 'idle one', 5, 3),
  'proc/42/stat': pidStat(42, 'busy one', 50 * seconds, 3),
  'proc/43/stat': pidStat(43, 'far one', 25 * seconds, 40),
});

const perf: Partial<Context> = {
  uid: 0,
  find: () => ({ path: '/usr/bin/perf' }),
  run: () => Promise.resolve({ ...ended, stdout: perfOutput, duration_ms: 600 }),
};

/** The machine 1 s and 2 s after its start. */
function bigHost(): Context {
  const root = fakeHost(moment(1), writeFakeHost(bigServer()));
  // The wait for perf comes first, then the window.
  return scriptedContext(root, [{}, moment(2)], perf);
}

const page = { limit: 64, offset: 0 };
type Counts = Pick<CpuRow, 'nr_switches' | 'nr_wakeups' | 'nr_migrations'>;
const sumOf = (rows: readonly Counts[], name: keyof Counts): number =>
  rows.reduce((sum, row) => sum + (row[name] ?? Number.NaN), 0);
const tokens = (answer: object): number => Math.ceil(JSON.stringify(answer).length / 4);

describe('CPUs of a server with 512', () => {
  test('fit into the default answer, with a way to the rest', async () => {
    const reading = await collectAggregatedCpu(bigHost(), { ...page, sort: 'cpu' }, call);
    expect(tokens(reading)).toBeLessThan(10_000);
    expect(reading.data.total_cpus).toBe(512);
    expect(reading).toMatchObject({ truncated: true, total: 512 });
    expect(reading.next).toContain(`offset=${reading.data.cpus.length}`);
    expect(reading.summary.join()).toContain('LLC 31');
  });

  test('have each its place, time, switches and waits', async () => {
    const reading = await collectAggregatedCpu(
      bigHost(),
      { limit: 1, offset: 256, sort: 'cpu', window_ms: 1000 },
      call,
    );
    expect(reading.window_ms).toBe(1000);
    expect(reading.data.cpus).toEqual([
      expect.objectContaining({
        cpu_id: 256,
        core_id: 0,
        llc_id: 0,
        node_id: 0,
        util_pct: 50,
        user_pct: 50,
        idle_pct: 50,
        nr_switches: 256_000,
        switches_per_s: 256_000,
        nr_wakeups: 3,
        nr_migrations: 256_000,
        latency: {
          avg_ns: 100_046,
          min_ns: null,
          max_ns: null,
          total_ns: 123_456_789,
          samples: 1234,
        },
      }),
    ]);
  });

  test('come in the order asked for; spread and outliers are of all of them', async () => {
    const order = async (sort: 'util' | 'switches' | 'migrations') =>
      (await collectAggregatedCpu(bigHost(), { ...page, limit: 2, sort }, call)).data;
    const { cpus: rows, spread, outliers } = await order('util');
    expect(rows.map(({ cpu_id }) => cpu_id)).toEqual([511, 510]);
    expect(spread).toEqual({
      min_util_pct: 0,
      max_util_pct: 99.8,
      mean_util_pct: 49.9,
      stddev_util_pct: 28.9,
    });
    expect(outliers.hottest.map(({ cpu_id }) => cpu_id)).toEqual([511, 510, 509]);
    expect(outliers.coldest.map(({ cpu_id }) => cpu_id)).toEqual([0, 1, 2]);
    expect((await order('switches')).cpus[0]?.cpu_id).toBe(511);
    expect((await order('migrations')).cpus[0]?.cpu_id).toBe(511);
  });
});

describe('groups of CPUs', () => {
  test('a last-level cache adds up its CPUs', async () => {
    const { data } = await collectAggregatedLlc(bigHost(), { ...page, window_ms: 1000 }, call);
    expect(data.total_llcs).toBe(32);
    const [first] = data.llcs;
    expect(first).toMatchObject({
      llc_id: 0,
      node_id: 0,
      cpus: '0-7,256-263',
      nr_cpus: 16,
      util_pct: 25.7,
      min_util_pct: 0,
      max_util_pct: 51.4,
      nr_switches: 2_104_000,
      nr_wakeups: 48,
      latency: { total_ns: 16 * 123_456_789, samples: 16 * 1234, avg_ns: 100_046 },
    });
  });

  test('shares of caches and nodes are means of their CPUs, though some CPUs lose ticks', async () => {
    // Busy CPUs were given a fifth of their ticks, as emulated ones are.
    const ticks = (seconds: number): string =>
      procStat(
        Object.fromEntries(
          cpus.map((cpu) => {
            const [busy, idle] = cpu % 2 === 0 ? [20, 0] : [25, 75];
            return [cpu, `${busy * seconds} 0 0 ${idle * seconds}`];
          }),
        ),
      );
    const tree = writeFakeHost(bigServer());
    const host = () =>
      scriptedContext(fakeHost({ 'proc/stat': ticks(1) }, tree), [{ 'proc/stat': ticks(2) }]);
    const query = { ...page, limit: 512, window_ms: 1000 };
    const { llcs } = (await collectAggregatedLlc(host(), query, call)).data;
    const { nodes } = (await collectAggregatedNode(host(), query, call)).data;
    for (const group of [...llcs, ...nodes]) {
      expect(group).toMatchObject({ util_pct: 62.5, user_pct: 62.5, idle_pct: 37.5 });
    }
  });

  test('counts of caches and of nodes add up to those of the CPUs', async () => {
    const query = { ...page, limit: 512, window_ms: 1000 };
    const tree = writeFakeHost(bigServer());
    const host = () => scriptedContext(fakeHost(moment(1), tree), [{}, moment(2)], perf);
    const { llcs } = (await collectAggregatedLlc(host(), query, call)).data;
    const { nodes } = (await collectAggregatedNode(host(), query, call)).data;
    const rows: CpuRow[] = [];
    while (rows.length < cpus.length) {
      const next = { ...query, sort: 'cpu' as const, offset: rows.length };
      rows.push(...(await collectAggregatedCpu(host(), next, call)).data.cpus);
    }
    const names = ['nr_switches', 'nr_wakeups', 'nr_migrations'] as const;
    for (const groups of [llcs, nodes]) {
      for (const name of names) expect(sumOf(groups, name)).toBe(sumOf(rows, name));
      const waits = groups.reduce((sum, { latency }) => sum + (latency?.samples ?? Number.NaN), 0);
      expect(waits).toBe(rows.reduce((sum, { latency }) => sum + (latency?.samples ?? 0), 0));
      // As many CPUs are in each: the mean of their means is the mean of all.
      const means = groups.reduce((sum, { util_pct }) => sum + (util_pct ?? Number.NaN), 0);
      const all = rows.reduce((sum, { util_pct }) => sum + (util_pct ?? Number.NaN), 0);
      expect(means / groups.length).toBeCloseTo(all / rows.length, 1);
    }
  });

  test('caches and nodes of the server fit into the default answer', async () => {
    expect(tokens(await collectAggregatedLlc(bigHost(), page, call))).toBeLessThan(10_000);
    expect(tokens(await collectAggregatedNode(bigHost(), page, call))).toBeLessThan(10_000);
  });

  test('a node has its memory, the locality of its allocations and its processes', async () => {
    const ctx = scriptedContext(fakeHost(moment(1), writeFakeHost(bigServer())), [moment(2)], {
      uid: 1000,
    });
    const { data } = await collectAggregatedNode(ctx, { ...page, window_ms: 1000 }, call);
    expect(data.nodes.map(({ node_id, nr_cpus }) => [node_id, nr_cpus])).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((node) => [node, 64]),
    );
    expect(data.nodes[0]).toMatchObject({
      memory: { total_bytes: 1_024_000, free_bytes: 409_600, used_bytes: 614_400 },
      locality: { local_pct: 90, allocations: 100, local_pct_since_boot: 93.3 },
      distances: [10, 12, 12, 12, 32, 32, 32, 32],
      processes: 2,
    });
  });

  test('a node without CPUs has null for them and says why', async () => {
    const root = fakeHost({ 'proc/stat': stat(1) }, writeFakeHost(memoryOnlyNode()));
    const reading = await collectAggregatedNode(scriptedContext(root), page, call);
    const bare = reading.data.nodes.find(({ nr_cpus }) => nr_cpus === 0);
    expect(bare).toMatchObject({ util_pct: null, nr_switches: null, cpus: '' });
    const reasons = reading.unavailable?.map(({ what }) => what) ?? [];
    expect(reasons).toContain(`CPU fields of node ${bare?.node_id}`);
  });
});
