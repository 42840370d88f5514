import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod/v4';
import { pingPong } from '../lib/load.ts';
import { isRoot } from '../lib/route.ts';
import {
  holdScheduler,
  llcDefines,
  loadScheduler,
  offers,
  startExtTask,
  unloadScheduler,
} from '../lib/scheduler.ts';
import { type Server, startServer } from '../lib/server.ts';
import { schedExt, schedExtEvents } from '../lib/sysfs.ts';
import { until } from '../lib/until.ts';

const Current = z.looseObject({
  name: z.string(),
  version: z.string().nullable(),
  ops: z.string().nullable(),
  class: z.string(),
  state: z.string(),
  active: z.boolean(),
  switch_all: z.boolean(),
  enable_seq: z.number(),
  loading_process: z.object({ pid: z.number(), comm: z.string().nullable() }).nullable(),
  last_exit: z
    .looseObject({ ops: z.string(), kind: z.string(), message: z.string().nullable() })
    .nullable(),
  unavailable: z.array(z.looseObject({ what: z.string(), reason: z.string() })).optional(),
});

const Counters = z.looseObject({
  ops: z.string().nullable(),
  counters: z.record(z.string(), z.number()).nullable(),
  deltas: z.record(z.string(), z.number().nullable()).nullable(),
  window_ms: z.number().optional(),
  warnings: z.array(z.string()).optional(),
  unavailable: z.array(z.looseObject({ reason: z.string() })).optional(),
});

const noQueues = (await offers('scx_bpf_create_dsq'))
  ? false
  : 'the BTF of this kernel lets no scheduler create a queue';
const noError = (await offers('scx_bpf_error_bstr'))
  ? false
  : 'the BTF of this kernel lets no scheduler report an error';

describe('sched_ext schedulers', { timeout: 300_000 }, () => {
  let server: Server;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());
  afterEach(unloadScheduler);

  const current = () => server.read('scheduler://current', Current);

  test('without one the fair class schedules and nothing is counted', async () => {
    const { active, state, class: name } = await current();
    assert.deepEqual({ active, state, name }, { active: false, state: 'disabled', name: 'fair' });
    const { counters, unavailable } = await server.read('stats://scheduler/scx', Counters);
    assert.equal(counters, null);
    assert.match(unavailable?.[0]?.reason ?? '', /No sched_ext scheduler is loaded/);
  });

  test('fifo shows with name and version within a second of its load, and is gone after', async () => {
    const before_load = await current();
    await loadScheduler('fifo');
    const { value: shown } = await until(current, ({ active }) => active, 1000);
    assert.equal(shown.name, 'lab_fifo');
    assert.equal(shown.version, '1.0.0');
    assert.equal(shown.ops, schedExt('root/ops'));
    assert.equal(shown.class, 'sched_ext');
    assert.equal(shown.switch_all, true);
    assert.equal(shown.enable_seq, before_load.enable_seq + 1);
    const begin = performance.now();
    await unloadScheduler();
    const { value: gone } = await until(current, ({ active }) => !active, 1000);
    assert.equal(gone.ops, null);
    assert.equal(gone.class, 'fair');
    assert.equal(gone.last_exit?.ops, shown.ops);
    assert.equal(gone.last_exit?.kind, 'unregistered from user space');
    assert.equal(gone.last_exit?.message, null);
    console.log(`unloaded and seen in ${Math.round(performance.now() - begin)} ms`);
  });

  test("the process that keeps a scheduler loaded is named, and its end is the scheduler's", async () => {
    const holder = await holdScheduler('fifo');
    try {
      const { name, loading_process, unavailable } = await current();
      assert.equal(name, 'lab_fifo');
      // Descriptors of others are for root, and the bpftool of Debian tells a helper nothing of them.
      const told = isRoot ? { pid: holder.pid, comm: 'python3' } : null;
      assert.deepEqual(loading_process, told);
      if (!isRoot) assert.match(unavailable?.[0]?.reason ?? '', /bpftool was built without/);
    } finally {
      await holder.stop();
    }
    const { value: gone } = await until(current, ({ active }) => !active, 2000);
    assert.equal(gone.last_exit?.kind, 'unregistered from user space');
    assert.equal(gone.loading_process, null);
  });

  test('a scheduler that is pinned has no loading process, and the reason is given', async () => {
    await loadScheduler('fifo');
    const { loading_process, unavailable } = await current();
    assert.equal(loading_process, null);
    const why = unavailable?.find(({ what }) => what === 'loading_process')?.reason;
    assert.match(why ?? '', /pinned/);
  });

  test('vtime-llc shows under its whole name', { skip: noQueues }, async () => {
    await loadScheduler('vtime-llc', ...(await llcDefines()));
    const { name, version } = await current();
    assert.deepEqual({ name, version }, { name: 'lab_vtime_llc', version: null });
  });

  test('the counters are those of the kernel and grow under load', async () => {
    await loadScheduler('fifo');
    const load = pingPong();
    try {
      const earlier = schedExtEvents();
      const uri = 'stats://scheduler/scx?window_ms=2000';
      const { counters, deltas, ops } = await server.read(uri, Counters);
      const later = schedExtEvents();
      assert.ok(counters && deltas);
      assert.equal(ops, schedExt('root/ops'));
      assert.deepEqual(Object.keys(counters), [...later.keys()]);
      for (const [name, value] of Object.entries(counters)) {
        const [low = 0, high = 0] = [earlier.get(name), later.get(name)];
        assert.ok(low <= value && value <= high, `${name} ${value} is not in ${low}..${high}`);
        assert.ok((deltas[name] ?? 0) <= high - low, `${name} grew by more than the kernel's`);
      }
      assert.ok((deltas['SCX_EV_REFILL_SLICE_DFL'] ?? 0) > 0);
    } finally {
      await load.stop();
    }
  });

  test('counters that begin anew with another scheduler are not compared with the old ones', async () => {
    await loadScheduler('fifo');
    const load = pingPong();
    try {
      await until(
        () => schedExtEvents().get('SCX_EV_REFILL_SLICE_DFL') ?? 0,
        (count) => count > 100,
      );
      const answer = server.read('stats://scheduler/scx?window_ms=6000', Counters);
      await pause(1000);
      await unloadScheduler();
      await loadScheduler('failing');
      const { ops, deltas, warnings } = await answer;
      assert.equal(ops, 'lab_failing');
      assert.ok(deltas && Object.values(deltas).every((delta) => delta === null));
      assert.match(
        warnings?.[0] ?? '',
        /^lab_fifo ended during the window \(unregistered from user space\); lab_failing runs now/,
      );
    } finally {
      await load.stop();
    }
  });

  test('a scheduler that loses a task is seen to be ejected within a second', async () => {
    await loadScheduler('failing');
    const loaded = await current();
    assert.deepEqual(
      { name: loaded.name, switch_all: loaded.switch_all },
      { name: 'lab_failing', switch_all: false },
    );
    await seeEjection('runnable task stall', /^python3\[\d+\] failed to run for \d/);
  });

  test('a scheduler that reports an error is seen to be ejected within a second', {
    skip: noError,
  }, async () => {
    await loadScheduler('failing', 'ERROR');
    assert.equal((await current()).active, true);
    await seeEjection('scx_bpf_error', /^lab: refuses pid \d+$/);
  });

  /** Its task comes; the kernel gives up on it, and no later than a second after so do we, and why. */
  async function seeEjection(kind: string, message: RegExp): Promise<void> {
    const task = startExtTask();
    const ejected = until(
      () => schedExt('state'),
      (state) => state !== 'enabled',
      20_000,
    ).then(() => performance.now());
    const seen = until(current, ({ active }) => !active, 21_000).then(({ value }) => {
      return { value, at_ms: performance.now() };
    });
    const { value, at_ms } = await seen;
    const late_ms = at_ms - (await ejected);
    await task.stop();
    assert.ok(late_ms < 1000, `seen ${Math.round(late_ms)} ms after the kernel`);
    assert.equal(value.class, 'fair');
    assert.equal(value.last_exit?.ops, 'lab_failing');
    assert.equal(value.last_exit?.kind, kind);
    assert.match(value.last_exit?.message ?? '', message);
    console.log(`seen ${Math.round(late_ms)} ms after the kernel, with its reason`);
  }
});
