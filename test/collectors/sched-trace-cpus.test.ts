import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type CpuRow, collectAggregatedCpu } from '../../src/collectors/aggregated-cpu.ts';
import { collectAggregatedLlc } from '../../src/collectors/aggregated-llc.ts';
import { collectAggregatedNode } from '../../src/collectors/aggregated-node.ts';
import type { Context } from '../../src/context.ts';
import { call, fakeHost, procStat, scriptedContext } from '../fake-host.ts';
import { bigServer } from '../fake-hosts.ts';
import { writeFakeHost } from '../fake-topology.ts';
import { fakeTracer, record, waitMaps } from '../fake-tracer.ts';

const page = { limit: 512, offset: 0 };
const cpuPage = { ...page, sort: 'cpu' as const };

const cpus = Array.from({ length: 512 }, (_, cpu) => cpu);
const stat = procStat(Object.fromEntries(cpus.map((cpu) => [cpu, '1 0 0 1'])));

/** Of a server with 512 CPUs: 0 and 256 are one core, 0-7 one cache, 0-31 and 256-287 node 0. */
const printed = [
  waitMaps(
    {
      '0,1': [
        { min: 1024, max: 2047, count: 90 },
        { min: 4096, max: 8191, count: 10 },
      ],
      '0,0': [{ min: 65_536, max: 131_071, count: 5 }],
      '1,1': [{ min: 1024, max: 2047, count: 100 }],
      '32,0': [{ min: 8192, max: 16_383, count: 7 }],
    },
    { '0,1': 7000, '0,0': 100_000, '1,1': 1900, '32,0': 9000 },
  ),
  record('map', '@moves', { '0,256': 1, '0,1': 2, '1,0': 4, '0,8': 8, '0,32': 16, '32,1': 32 }),
  record('stats', '@softirq_ns', {
    '0,3': { count: 10, average: 5000, total: 50_000 },
    '1,3': { count: 1, average: 700, total: 700 },
    '1,9': { count: 2, average: 100, total: 200 },
  }),
].join('\n');

const files = { 'proc/stat': stat, 'proc/self/status': 'CapEff:\t000001ffffffffff\n' };
const root = fakeHost(files, writeFakeHost(bigServer()));

/** A clock for waits that go on at the same time: two of a second take a second. */
function sharedClock(): Pick<Context, 'monotonicMs' | 'sleep'> {
  let now_ms = 1000;
  return {
    monotonicMs: () => now_ms,
    async sleep(ms) {
      const end_ms = now_ms + ms;
      await Promise.resolve();
      now_ms = Math.max(now_ms, end_ms);
    },
  };
}

function bigHost(parts: Partial<Context>, maps = printed) {
  const tracer = fakeTracer(() => maps);
  const ctx = scriptedContext(root, [], {
    uid: 0,
    find: ({ name }) =>
      name === 'bpftrace' ? { path: '/usr/bin/bpftrace' } : { problem: 'missing', path: null },
    start: tracer.start,
    ...sharedClock(),
    script: (name) => ({ path: `/scripts/bpftrace/${name}.bt`, text: '' }),
    ...parts,
  });
  return { ctx, tracer };
}

test('percentiles that a histogram tells are not called exact', async () => {
  const { ctx } = bigHost({});
  const traced = await collectAggregatedCpu(ctx, { ...cpuPage, trace_ms: 100 }, call);
  expect(traced.unavailable?.map(({ what }) => what)).toContain('exact percentiles');
  const untraced = await collectAggregatedCpu(ctx, cpuPage, call);
  expect(untraced.unavailable?.map(({ what }) => what)).not.toContain('exact percentiles');
});

test('without trace_ms nothing is started and no field is added', async () => {
  const { ctx, tracer } = bigHost({});
  const { data, source, lost_events } = await collectAggregatedCpu(ctx, cpuPage, call);
  expect(tracer.commands).toEqual([]);
  expect(data).not.toHaveProperty('trace_window_ms');
  expect(data.cpus[0]).not.toHaveProperty('wakeup_latency');
  expect(source).not.toContain('bpftrace');
  expect(lost_events).toBeUndefined();
});

describe('what was traced', () => {
  const traced = async () => {
    const { ctx } = bigHost({});
    return await collectAggregatedCpu(ctx, { ...cpuPage, trace_ms: 1000 }, call);
  };

  /** Rows of all pages. */
  const allCpus = async () => {
    const { ctx } = bigHost({});
    const rows: CpuRow[] = [];
    while (rows.length < cpus.length) {
      const query = { ...cpuPage, offset: rows.length, trace_ms: 1000 };
      rows.push(...(await collectAggregatedCpu(ctx, query, call)).data.cpus);
    }
    return rows;
  };

  test('of a CPU are its waits, the tasks that came and went, and its softirqs', async () => {
    const { data, source, window_ms, lost_events, summary } = await traced();
    expect(data.trace_window_ms).toBe(1000);
    expect(window_ms).toBe(1000);
    expect(lost_events).toBe(0);
    expect(source).toContain('bpftrace');
    expect(data.cpus[0]).toMatchObject({
      cpu_id: 0,
      wakeup_latency: { count: 100, avg_ns: 1331.2, p50_ns: 1592, p90_ns: 2047, max_ns: 7000 },
      run_queue_latency: { count: 105, max_ns: 100_000 },
      migrations: { in: 4, out: 27, within_core: 0, within_llc: 4, cross_llc: 0, cross_node: 0 },
      softirq: { count: 10, time_ns: 50_000, by_vector: { NET_RX: { count: 10 } } },
    });
    const [p99] = data.cpus.map(({ wakeup_latency }) => wakeup_latency?.p99_ns ?? 0);
    expect(p99).toBeGreaterThanOrEqual(4096);
    expect(p99).toBeLessThanOrEqual(7000);
    expect(summary.join('\n')).toContain('200');
  });

  test('tells how far tasks were moved, by the CPU that they came to', async () => {
    const rows = await allCpus();
    const at = (cpu: number) => rows[cpu]?.migrations;
    expect(at(256)).toMatchObject({ in: 1, within_core: 1 });
    expect(at(8)).toMatchObject({ in: 8, cross_llc: 8 });
    expect(at(32)).toMatchObject({ in: 16, out: 32, cross_node: 16 });
    expect(at(1)).toMatchObject({ in: 34, within_llc: 2, cross_node: 32 });
    const { data } = await traced();
    expect(data.top_moves?.[0]).toEqual({ from_cpu: 32, to_cpu: 1, count: 32 });
  });

  test('a CPU on which nothing happened has counts of 0 and no times', async () => {
    expect((await allCpus())[100]).toMatchObject({
      wakeup_latency: { count: 0, avg_ns: null, p50_ns: null, p99_ns: null, max_ns: null },
      migrations: { in: 0, out: 0 },
      softirq: { count: 0, time_ns: 0, by_vector: {} },
    });
  });

  test.each(['llc', 'node'] as const)('by %s adds up to that of the CPUs', async (kind) => {
    const rows = await allCpus();
    const { ctx } = bigHost({});
    const query = { ...page, trace_ms: 1000 };
    const groups =
      kind === 'llc'
        ? (await collectAggregatedLlc(ctx, query, call)).data.llcs
        : (await collectAggregatedNode(ctx, query, call)).data.nodes;
    type Row = (typeof groups)[number] | CpuRow;
    const figures: readonly ((row: Row) => number)[] = [
      (row) => row.wakeup_latency?.count ?? Number.NaN,
      (row) => row.run_queue_latency?.count ?? Number.NaN,
      (row) => row.migrations?.in ?? Number.NaN,
      (row) => row.migrations?.out ?? Number.NaN,
      (row) => row.migrations?.cross_llc ?? Number.NaN,
      (row) => row.migrations?.cross_node ?? Number.NaN,
      (row) => row.softirq?.time_ns ?? Number.NaN,
    ];
    for (const figure of figures) {
      const sum = (each: readonly Row[]) => each.reduce((total, row) => total + figure(row), 0);
      expect(sum(groups)).toBe(sum(rows));
    }
    // CPUs 0 and 1 are in the first of each: their waits are merged, not averaged.
    expect(groups[0]?.wakeup_latency).toMatchObject({ count: 200, max_ns: 7000 });
    expect(groups[0]?.wakeup_latency?.p50_ns).toBeLessThan(2048);
    expect(groups[0]?.softirq?.by_vector).toEqual({
      NET_RX: { count: 11, time_ns: 50_700 },
      RCU: { count: 2, time_ns: 200 },
    });
  });

  test('of a server with 512 CPUs fits into an answer, with a way to the rest', async () => {
    const busy = cpus.flatMap((cpu) => [0, 1].map((kind) => `${cpu},${kind}`));
    const buckets = Array.from({ length: 16 }, (_, bit) => ({
      min: 2 ** (bit + 10),
      max: 2 ** (bit + 11) - 1,
      count: 1000 + bit,
    }));
    const waits = Object.fromEntries(busy.map((key) => [key, buckets]));
    const longest = Object.fromEntries(busy.map((key) => [key, 2 ** 26]));
    const vectors = cpus.flatMap((cpu) =>
      Array.from({ length: 10 }, (_, vector) => [
        `${cpu},${vector}`,
        { count: 12_345, average: 1000, total: 12_345_678 },
      ]),
    );
    const maps = `${waitMaps(waits, longest)}\n${record('stats', '@softirq_ns', Object.fromEntries(vectors))}`;
    const query = { ...page, limit: 64, trace_ms: 1000 };
    const answers = [
      await collectAggregatedCpu(bigHost({}, maps).ctx, { ...query, sort: 'cpu' }, call),
      await collectAggregatedLlc(bigHost({}, maps).ctx, query, call),
      await collectAggregatedNode(bigHost({}, maps).ctx, query, call),
    ];
    for (const answer of answers) expect(JSON.stringify(answer).length / 4).toBeLessThan(10_000);
    expect(answers[0]?.next).toMatch(/^Read stats:.*&offset=\d+&trace_ms=1000$/);
  });

  test('a map without room left is told of', async () => {
    const keys = Array.from({ length: 16_384 }, (_, key) => [`${key % 512},${key >> 9}`, 1]);
    const { ctx } = bigHost({}, record('map', '@moves', Object.fromEntries(keys)));
    const { warnings } = await collectAggregatedCpu(ctx, { ...cpuPage, trace_ms: 100 }, call);
    expect(warnings?.join()).toMatch(/moves of the tracer is full/);
  });

  test('waits that the tracer missed are told of', async () => {
    const { ctx } = bigHost(
      {},
      `${printed}\n${record('map', '@unmatched', {})}`.replace(
        '{"@unmatched":{}}',
        '{"@unmatched": 300}',
      ),
    );
    const { warnings } = await collectAggregatedCpu(ctx, { ...cpuPage, trace_ms: 100 }, call);
    expect(warnings?.join()).toMatch(/300/);
  });
});

describe('where it cannot be traced', () => {
  test.each([
    ['the server is no root', { uid: 1000 }, /root/],
    ['bpftrace is missing', { find: () => ({ problem: 'missing', path: null }) }, /not installed/],
    ['the server is read-only', { settings: { daemon: false, readOnly: true } }, /read-only/],
  ] as [string, Partial<Context>, RegExp][])('as %s', async (_why, parts, reason) => {
    const { ctx, tracer } = bigHost(parts);
    const reading = await collectAggregatedCpu(ctx, { ...cpuPage, trace_ms: 500 }, call);
    expect(tracer.commands).toEqual([]);
    expect(reading.data.cpus[0]).toMatchObject({
      wakeup_latency: null,
      run_queue_latency: null,
      migrations: null,
      softirq: null,
    });
    expect(reading.data.trace_window_ms).toBeNull();
    const untraced = reading.unavailable?.find(({ what }) => what.startsWith('wakeup_latency'));
    expect(untraced?.reason).toMatch(reason);
    expect(reading.data.total_cpus).toBe(512);
  });

  test('in a PID namespace of its own, whose numbers are not those of the kernel', async () => {
    const { ctx } = bigHost({});
    const link = (path: string): string | null =>
      path === '/proc/self/ns/pid' ? 'pid:[4026532001]' : null;
    const inside = { ...ctx, files: { ...ctx.files, link } };
    const { unavailable } = await collectAggregatedCpu(inside, { ...cpuPage, trace_ms: 500 }, call);
    expect(unavailable?.map(({ fix }) => fix).join()).toMatch(/--pid=host/);
  });

  test.each([1, 2])('as bpftrace ends at print %i; all else is measured', async (print) => {
    const { ctx, tracer } = bigHost({});
    tracer.dieAt(print);
    const reading = await collectAggregatedCpu(ctx, { ...cpuPage, trace_ms: 500 }, call);
    const untraced = reading.unavailable?.find(({ what }) => what.startsWith('wakeup_latency'));
    expect(untraced?.reason).toMatch(/it died/);
    expect(reading.data.total_cpus).toBe(512);
  });
});

describe('the tracer', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is gone after the read', async () => {
    const { ctx, tracer } = bigHost({});
    await collectAggregatedCpu(ctx, { ...cpuPage, trace_ms: 100 }, call);
    expect(tracer.running()).toBe(0);
    const [command] = tracer.commands;
    expect(command?.args.join(' ')).toContain('sched-aggregates.bt');
    // Each update of a full map would print a line.
    expect(command?.args).toContain('--no-warnings');
    expect(Number(command?.environment['BPFTRACE_MAX_MAP_KEYS'])).toBeGreaterThanOrEqual(16_384);
  });

  test('of a daemon stays for the next read, and goes half a minute after the last', async () => {
    vi.useFakeTimers();
    const { ctx, tracer } = bigHost({ settings: { daemon: true, readOnly: false } });
    await collectAggregatedCpu(ctx, { ...cpuPage, trace_ms: 100 }, call);
    vi.advanceTimersByTime(29_000);
    const { data } = await collectAggregatedLlc(ctx, { ...page, trace_ms: 100 }, call);
    expect(data.llcs[0]?.wakeup_latency?.count).toBe(200);
    expect(tracer.commands).toHaveLength(1);
    vi.advanceTimersByTime(29_000);
    expect(tracer.running()).toBe(1);
    vi.advanceTimersByTime(2000);
    expect(tracer.running()).toBe(0);
  });

  test('that ended between two reads is started anew', async () => {
    const { ctx, tracer } = bigHost({ settings: { daemon: true, readOnly: false } });
    tracer.dieAt(2);
    await collectAggregatedCpu(ctx, { ...cpuPage, trace_ms: 100 }, call);
    tracer.dieAt(Number.POSITIVE_INFINITY);
    const { data } = await collectAggregatedCpu(ctx, { ...cpuPage, trace_ms: 100 }, call);
    expect(tracer.commands).toHaveLength(2);
    expect(data.cpus[0]?.wakeup_latency?.count).toBe(100);
  });
});

test('what real programs printed gives figures that fit together', async () => {
  for (const version of ['0.17.0', '0.23.2']) {
    const folder = `fixtures/sched-aggregates/pipe-and-timers-2cpu.k6.18.44.bpftrace-${version}`;
    const { ctx } = bigHost(
      {},
      readFileSync(`${folder}/input.txt`, 'utf8').split('{"type": "map", "data": {"@prints"')[0],
    );
    const { data } = await collectAggregatedCpu(ctx, { ...cpuPage, trace_ms: 100 }, call);
    for (const { wakeup_latency, run_queue_latency, migrations } of data.cpus.slice(0, 2)) {
      const { p50_ns, p90_ns, p99_ns, max_ns } = wakeup_latency ?? {};
      const rising = [p50_ns, p90_ns, p99_ns, max_ns].map(Number);
      expect(rising).toEqual(rising.toSorted((a, b) => a - b));
      expect(run_queue_latency?.count).toBeGreaterThan(wakeup_latency?.count ?? Number.NaN);
      expect(migrations?.in).toBeGreaterThan(0);
      expect(migrations).toMatchObject({ in: migrations?.within_llc });
    }
  }
});
