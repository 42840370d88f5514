import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod/v4';
import { connectStats, record } from '../lib/exchange.ts';
import { lightLoad } from '../lib/load.ts';
import { run } from '../lib/program.ts';
import { missing, startRealScheduler, versionOf } from '../lib/real-scheduler.ts';
import { isRoot } from '../lib/route.ts';
import { type Server, startServer } from '../lib/server.ts';
import { schedExt, schedExtEvents } from '../lib/sysfs.ts';
import { until } from '../lib/until.ts';

const Current = z.looseObject({
  name: z.string().nullable(),
  version: z.string().nullable(),
  ops: z.string().nullable(),
  class: z.string(),
  active: z.boolean(),
  loading_process: z.looseObject({ pid: z.number() }).nullable(),
});
const Raw = z.looseObject({
  stats: z.record(z.string(), z.unknown()).nullable(),
  stats_meta: z
    .record(z.string(), z.looseObject({ fields: z.record(z.string(), z.unknown()) }))
    .nullable(),
  layers: z
    .array(
      z.looseObject({
        name: z.string(),
        index: z.number(),
        tasks: z.number(),
        util_pct: z.number(),
        util_frac_pct: z.number(),
        nr_cpus: z.number(),
      }),
    )
    .nullable(),
  kind: z.string().nullable(),
  scheduler: z.string().nullable(),
  window_ms: z.number().optional(),
  summary: z.array(z.string()),
  unavailable: z
    .array(z.looseObject({ reason: z.string(), fix: z.string().nullable() }))
    .optional(),
});
const Queues = z.looseObject({
  dsqs: z.array(z.looseObject({ label: z.string(), nr_enqueues: z.number() })).nullable(),
  scheduler: z.string().nullable(),
});
const Programs = z.looseObject({
  programs: z.array(
    z.looseObject({
      id: z.number(),
      name: z.string().nullable(),
      scheduler: z.string().nullable(),
    }),
  ),
});
const Counters = z.looseObject({ counters: z.record(z.string(), z.number()).nullable() });
const Answer = z.looseObject({
  args: z.looseObject({ resp: z.record(z.string(), z.unknown()) }),
});

const ask_stats = '{"req":"stats"}';
const raw = 'stats://scheduler/raw';

/** A scheduler, a light load and a server, started for the first test that wants them. */
function session(name: string, ...args: readonly string[]) {
  async function start() {
    const load = lightLoad();
    try {
      const scheduler = await startRealScheduler(name, ...args);
      const server = await startServer('--daemon');
      if (!isRoot) await openStats(server);
      return { load, scheduler, server };
    } catch (error) {
      await load.stop();
      throw error;
    }
  }
  let running: ReturnType<typeof start> | undefined;
  return {
    use() {
      running ??= start();
      return running;
    },
    async stop() {
      if (!running) return;
      const { load, scheduler, server } = await running;
      await load.stop();
      await server.close();
      await scheduler.stop();
    },
  };
}

/** Statistics are for root, until an administrator does what the answer says. */
async function openStats(server: Server): Promise<void> {
  const { stats, unavailable } = await server.read(raw, Raw);
  const [denied] = unavailable ?? [];
  assert.equal(stats, null);
  assert.match(denied?.reason ?? '', /^Only its owner may connect/);
  assert.match(denied?.fix ?? '', /^sudo chown /);
  await run('sh', '-c', denied?.fix ?? 'false');
}

describe('scx_bpfland of the scx project', {
  skip: missing('scx_bpfland'),
  timeout: 300_000,
}, () => {
  const started = session('scx_bpfland');
  after(started.stop);

  test('shows with the name, version and process id of its program', async () => {
    const { scheduler, server } = await started.use();
    const current = await server.read('scheduler://current', Current);
    assert.equal(current.name, 'bpfland');
    assert.equal(current.version, await versionOf('scx_bpfland'));
    assert.equal(current.ops, schedExt('root/ops'));
    // Whose descriptors it has is for root to see.
    if (isRoot) assert.equal(current.loading_process?.pid, scheduler.pid);
    else assert.equal(current.loading_process, null);
    assert.deepEqual([current.class, current.active], ['sched_ext', true]);
  });

  test('tells its statistics: first over a window, then since the last read', async () => {
    const { server } = await started.use();
    const independent = await connectStats();
    await independent.ask(ask_stats);
    const first = await server.read(raw, Raw);
    const read_at = performance.now();
    assert.equal(first.kind, 'delta');
    assert.equal(first.scheduler, schedExt('root/ops'));
    assert.equal(first.layers, null);
    assert.equal(first.stats?.['nr_cpus'], Number(await run('nproc')));
    await pause(2000);
    const second = await server.read(raw, Raw);
    const since_ms = performance.now() - read_at;
    const window_ms = second.window_ms ?? 0;
    assert.ok(Math.abs(window_ms - since_ms) < 500, `${window_ms} of ${since_ms} ms`);
    const { args } = Answer.parse(JSON.parse(await independent.ask(ask_stats)));
    independent.close();
    const counters = Object.keys(args.resp).filter((name) => !/^nr_(cpus|running)$/.test(name));
    for (const name of counters) {
      const ours = Number(first.stats?.[name]) + Number(second.stats?.[name]);
      const whole = Number(args.resp[name]);
      assert.ok(ours <= whole, `${name}: ${ours} in both windows, ${whole} around them`);
    }
    const dispatched = (stats: z.infer<typeof Raw>['stats']) =>
      Number(stats?.['nr_direct_dispatches']) + Number(stats?.['nr_shared_dispatches']);
    assert.ok(dispatched(second.stats) > 0);
  });

  test('describes every field that it tells', async () => {
    const { server } = await started.use();
    const { stats, stats_meta } = await server.read(`${raw}?meta=true`, Raw);
    const described = Object.keys(stats_meta?.['Metrics']?.fields ?? {});
    assert.deepEqual(Object.keys(stats ?? {}).sort(), described.sort());
  });

  test('has queues of its own, through which tasks go', async () => {
    const { server } = await started.use();
    const { dsqs, scheduler: name } = await server.read(
      'stats://aggregated/dsq?window_ms=2000',
      Queues,
    );
    assert.equal(name, 'bpfland');
    const own_queues = dsqs?.filter(({ label }) => label === 'user') ?? [];
    assert.ok(own_queues.reduce((sum, { nr_enqueues }) => sum + nr_enqueues, 0) > 0);
  });

  test('owns all struct_ops programs that are loaded', async () => {
    const { server } = await started.use();
    const { programs } = await server.read('bpf://programs?type=struct_ops', Programs);
    const Listed = z.array(z.looseObject({ id: z.number(), type: z.string() }));
    const listed = Listed.parse(JSON.parse(await run('bpftool', '-j', 'prog', 'show')));
    const ids = listed.filter(({ type }) => type === 'struct_ops').map(({ id }) => id);
    assert.deepEqual(programs.map(({ id }) => id).sort(), ids.sort());
    assert.ok(ids.length > 5);
    for (const { name, scheduler: label } of programs) {
      assert.equal(label, schedExt('root/ops'), name ?? '');
    }
  });

  test('has the counters that the kernel keeps of it', async () => {
    const { server } = await started.use();
    const { counters } = await server.read('stats://scheduler/scx', Counters);
    assert.deepEqual(Object.keys(counters ?? {}), [...schedExtEvents().keys()]);
  });

  test('leaves a recording of what it answers', async () => {
    await started.use();
    const tool = 'scx_bpfland';
    const of = { format: 'scx-stats', tool, version: await versionOf(tool) };
    const nowhere = '{"req":"stats","args":{"target":"nope"}}';
    await record({ ...of, name: 'bpfland-baseline' }, ask_stats);
    await record({ ...of, name: 'bpfland-second' }, ask_stats, ask_stats);
    await record({ ...of, name: 'bpfland-unknown-target' }, nowhere);
    await record({ ...of, format: 'scx-stats-meta', name: 'bpfland' }, '{"req":"stats_meta"}');
  });

  test('is gone when its program ends, and so are its statistics', async () => {
    const { scheduler, server } = await started.use();
    await scheduler.stop();
    const current = () => server.read('scheduler://current', Current);
    const { value: gone } = await until(current, ({ active }) => !active, 1000);
    assert.equal(gone.class, 'fair');
    const { stats, unavailable } = await server.read(raw, Raw);
    assert.equal(stats, null);
    assert.match(unavailable?.[0]?.reason ?? '', /No sched_ext scheduler is loaded/);
  });
});

/** One layer for the load and one for everything else. */
const layers = [
  {
    name: 'load',
    matches: [[{ CommPrefix: 'python3' }]],
    kind: { Grouped: { util_range: [0.5, 0.8] } },
  },
  { name: 'rest', matches: [[]], kind: { Open: {} } },
];

/** CPU time of a process so far, in ticks of 10 ms. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

describe('scx_layered of the scx project', {
  skip: missing('scx_layered'),
  timeout: 300_000,
}, () => {
  const started = session('scx_layered', JSON.stringify(layers));
  after(started.stop);

  test('tells of its layers: names, order, tasks and the CPU that they use', async () => {
    const { load, server } = await started.use();
    const [ticks, start] = [ticksOf(load.pid), performance.now()];
    const { layers: rows, stats, summary } = await server.read(`${raw}?window_ms=8000`, Raw);
    const used_pct = ((ticksOf(load.pid) - ticks) * 1000) / (performance.now() - start);
    const row = (name: string) => rows?.find((each) => each.name === name);
    console.log(`load: ${row('load')?.util_pct} % of a CPU, by /proc ${used_pct.toFixed(1)} %`);
    assert.deepEqual([row('load')?.index, row('rest')?.index, rows?.length], [0, 1, 2]);
    assert.equal(row('load')?.tasks, 1);
    assert.ok(Math.abs((row('load')?.util_pct ?? 0) - used_pct) < 5);
    const shares = rows?.reduce((sum, { util_frac_pct }) => sum + util_frac_pct, 0) ?? 0;
    assert.ok(Math.abs(shares - 100) < 0.1, `shares of ${shares} %`);
    assert.ok(stats?.['layers']);
    assert.match(summary.join(' '), /2 layers; the busiest: /);
  });

  test('leaves a recording of what it answers', async () => {
    await started.use();
    const tool = 'scx_layered';
    const of = { format: 'scx-stats', tool, version: await versionOf(tool) };
    await record({ ...of, name: 'layered-second' }, ask_stats, ask_stats);
    await record({ ...of, format: 'scx-stats-meta', name: 'layered' }, '{"req":"stats_meta"}');
  });
});
