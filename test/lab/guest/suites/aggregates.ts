import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod/v4';
import { pingPong } from '../lib/load.ts';
import { keepRunning, run } from '../lib/program.ts';
import { type Server, startServer } from '../lib/server.ts';
import { lscpu } from '../lib/sysfs.ts';
import { until } from '../lib/until.ts';

const Waits = z.looseObject({
  count: z.number(),
  p50_ns: z.number().nullable(),
  p99_ns: z.number().nullable(),
});
const Migrations = z.looseObject({
  in: z.number(),
  out: z.number(),
  within_core: z.number(),
  within_llc: z.number(),
  cross_llc: z.number(),
  cross_node: z.number(),
});
const Row = z.looseObject({
  wakeup_latency: Waits,
  run_queue_latency: Waits,
  migrations: Migrations,
  softirq: z.looseObject({ count: z.number(), time_ns: z.number() }),
});
const window_and_losses = { trace_window_ms: z.number(), lost_events: z.number() };
const Cpus = z.looseObject({
  cpus: z.array(Row.extend({ cpu_id: z.number() })),
  ...window_and_losses,
});
const Llcs = z.looseObject({
  llcs: z.array(Row.extend({ llc_id: z.number() })),
  ...window_and_losses,
});
const Nodes = z.looseObject({
  nodes: z.array(Row.extend({ node_id: z.number() })),
  ...window_and_losses,
});
const Distances = Migrations.omit({ in: true, out: true }).extend({ count: z.number() });
const Process = z.looseObject({
  processes: z.tuple([z.looseObject({ migrations: Distances, wakeup_latency: Waits })]),
});

type Traced = Readonly<{
  rows: readonly z.output<typeof Row>[];
  trace_window_ms: number;
  lost_events: number;
}>;
const kinds: readonly (readonly [string, z.ZodType<Traced>])[] = [
  ['cpu', Cpus.transform(({ cpus, ...rest }) => ({ ...rest, rows: cpus }))],
  ['llc', Llcs.transform(({ llcs, ...rest }) => ({ ...rest, rows: llcs }))],
  ['node', Nodes.transform(({ nodes, ...rest }) => ({ ...rest, rows: nodes }))],
];

const places = await lscpu();
const [first] = places;
const far = places.find(({ node }) => node !== first?.node);
const moves = 12;
const trace_ms = 10_000;

/** A task that sleeps most of the time, on one CPU. */
const sleeper = (cpu: number) =>
  keepRunning(
    'taskset',
    '-c',
    String(cpu),
    'python3',
    '-c',
    'import time\nwhile 1: time.sleep(0.01)',
  );

/** Forces it to the other CPU and back, while something is read. */
async function shuttle<T>(pid: number, cpus: readonly [number, number], reading: Promise<T>) {
  await pause(2000);
  for (let move = 1; move <= moves; move++) {
    await run('taskset', '-cp', String(cpus[move % 2]), String(pid));
    await pause(100);
  }
  return await reading;
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

describe('scheduling that is traced', { timeout: 400_000 }, () => {
  let server: Server;
  before(async () => {
    server = await startServer('--daemon');
  });
  after(() => server.close());

  const skip = !(first && far) && 'the guest has one node: --topology';

  test('a task forced from one node to the other crosses nodes as often', { skip }, async () => {
    assert.ok(first && far);
    const task = sleeper(first.cpu);
    try {
      const uri = (ms: number) => `stats://aggregated/process?pid=${task.pid}&trace_ms=${ms}`;
      await server.read(uri(100), z.looseObject({}));
      const reading = server.read(uri(trace_ms), Process);
      const { processes } = await shuttle(task.pid, [first.cpu, far.cpu], reading);
      const [{ migrations, wakeup_latency }] = processes;
      assert.equal(migrations.count, moves);
      assert.equal(migrations.cross_node, moves);
      assert.ok(wakeup_latency.count > 100, JSON.stringify(wakeup_latency));
    } finally {
      await task.stop();
    }
  });

  test('by CPU, cache and node the moves add up, in both directions', { skip }, async () => {
    assert.ok(first && far);
    const cpus = [first.cpu, far.cpu] as const;
    const task = sleeper(first.cpu);
    try {
      await server.read('stats://aggregated/cpu?trace_ms=100', z.looseObject({}));
      for (const [kind, schema] of kinds) {
        const reading = server.read(`stats://aggregated/${kind}?trace_ms=${trace_ms}`, schema);
        const { rows, lost_events } = await shuttle<Traced>(task.pid, cpus, reading);
        const across = rows.map(({ migrations }) => migrations.cross_node);
        console.log(`${kind}: ${moves} forced moves, across nodes by ${kind}: ${across}`);
        assert.equal(lost_events, 0);
        // The system moves tasks of its own, too.
        assert.ok(sum(across) >= moves && sum(across) < moves + 100, `${kind}: ${across}`);
        const arrived = rows.filter(({ migrations }) => migrations.cross_node >= moves / 2);
        assert.ok(arrived.length >= 2, `${kind}: ${across}`);
        const all = rows.map(({ migrations }) => migrations);
        assert.equal(sum(all.map((each) => each.in)), sum(all.map((each) => each.out)));
        for (const each of all) {
          const { within_core, within_llc, cross_llc, cross_node } = each;
          assert.equal(within_core + within_llc + cross_llc + cross_node, each.in);
        }
      }
    } finally {
      await task.stop();
    }
  });

  test('waits by CPU, cache and node are those of the same load', async () => {
    assert.ok(first);
    const { cpu } = first;
    // Of a rate of their own, whatever else the emulator has to do.
    const tasks = Array.from({ length: 8 }, () => sleeper(cpu));
    try {
      await pause(3000);
      const rates: number[] = [];
      for (const [kind, schema] of kinds) {
        const { rows, trace_window_ms } = await server.read(
          `stats://aggregated/${kind}?trace_ms=5000`,
          schema,
        );
        const counts = rows.map(({ wakeup_latency }) => wakeup_latency.count);
        // The load is on one CPU, and so in one cache and on one node.
        assert.ok(Math.max(...counts) > 0.6 * sum(counts), `${kind}: ${counts}`);
        rates.push((Math.max(...counts) * 1000) / trace_window_ms);
        assert.ok(sum(rows.map(({ softirq }) => softirq.count)) > 0);
      }
      console.log(`waits/s of the busiest CPU, cache, node: ${rates.map(Math.round)}`);
      assert.ok(Math.max(...rates) < 1.4 * Math.min(...rates), String(rates));
    } finally {
      for (const task of tasks) await task.stop();
    }
  });

  test('waits agree with an independent bpftrace', async () => {
    assert.ok(first);
    const load = pingPong(String(first.cpu));
    try {
      await server.read('stats://aggregated/node?trace_ms=100', z.looseObject({}));
      const finish = await startIndependent(trace_ms / 1000);
      const { nodes, trace_window_ms } = await server.read(
        `stats://aggregated/node?trace_ms=${trace_ms}`,
        Nodes,
      );
      const theirs = await finish();
      const busiest = nodes.toSorted((a, b) => b.wakeup_latency.count - a.wakeup_latency.count)[0];
      assert.ok(busiest);
      const { p50_ns, p99_ns } = busiest.wakeup_latency;
      const ours = sum(nodes.map(({ wakeup_latency }) => wakeup_latency.count));
      const rate = (ours * 1000) / trace_window_ms;
      const their_rate = (theirs.waits * 1000) / trace_ms;
      console.log(`${rate} waits/s, independently ${their_rate}; p50 ${p50_ns}, p99 ${p99_ns} ns`);
      assert.ok(Math.abs(rate - their_rate) < 0.05 * their_rate, `${rate} against ${their_rate}`);
      const power = (ns: number | null) => Math.floor(Math.log2(ns ?? 0));
      // The same range, but for a percentile at the border of two.
      assert.ok(power(p50_ns) >= theirs.at(0.45) && power(p50_ns) <= theirs.at(0.55));
      assert.ok(power(p99_ns) >= theirs.at(0.985) && power(p99_ns) <= theirs.at(0.995));
    } finally {
      await load.stop();
    }
  });
});

/** Written for this test alone. */
const independent = (seconds: number): string => `
  BEGIN { printf("begin\\n"); }
  rawtracepoint:sched_wakeup { @begin[((struct task_struct *)arg0)->pid] = nsecs; }
  rawtracepoint:sched_wakeup_new { @begin[((struct task_struct *)arg0)->pid] = nsecs; }
  rawtracepoint:sched_switch /@begin[((struct task_struct *)arg2)->pid]/ {
    $tid = ((struct task_struct *)arg2)->pid;
    @wait = hist(nsecs - @begin[$tid]);
    @waits = count();
    delete(@begin, $tid);
  }
  interval:s:${seconds} { exit(); }
  END { clear(@begin); }`;

const Record = z.looseObject({ type: z.string(), data: z.unknown() });
const Buckets = z.array(z.object({ min: z.number(), max: z.number(), count: z.number() }));

async function startIndependent(seconds: number) {
  const child = spawn('bpftrace', ['-f', 'json', '-B', 'line', '-e', independent(seconds)]);
  const ended = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await until(async () => output.includes('begin'), Boolean, 90_000);
  return async () => {
    await ended;
    const maps = new Map<string, unknown>();
    for (const line of output.split('\n').filter((each) => each.startsWith('{'))) {
      const { type, data } = Record.parse(JSON.parse(line));
      if (type !== 'map' && type !== 'hist') continue;
      for (const [name, value] of Object.entries(z.record(z.string(), z.unknown()).parse(data))) {
        maps.set(name, value);
      }
    }
    const buckets = Buckets.parse(maps.get('@wait'));
    const waits = Number(maps.get('@waits'));
    /** The power of two at which the range begins where a share of the waits is reached. */
    const at = (share: number): number => {
      let left = share * sum(buckets.map(({ count }) => count));
      const reached = buckets.find(({ count }) => {
        left -= count;
        return left <= 0;
      });
      return Math.floor(Math.log2(reached?.min ?? 0));
    };
    return { waits, at };
  };
}
