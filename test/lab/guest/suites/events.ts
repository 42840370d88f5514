import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod/v4';
import { pingPong, spin } from '../lib/load.ts';
import { run } from '../lib/program.ts';
import { loadScheduler, offers, unloadScheduler } from '../lib/scheduler.ts';
import { type Server, startServer } from '../lib/server.ts';
import { canGoOffline, setOnline } from '../lib/sysfs.ts';

const Event = z.looseObject({
  type: z.string(),
  ts: z.number().nullable(),
  cpu: z.number().nullable(),
});
type Event = z.output<typeof Event>;

const Result = z.looseObject({
  isError: z.boolean().optional(),
  content: z.array(z.looseObject({ text: z.string() })),
  structuredContent: z
    .looseObject({
      data: z.looseObject({}),
      unavailable: z.array(z.looseObject({ what: z.string(), reason: z.string() })).optional(),
    })
    .optional(),
});
const Read = z.looseObject({
  events: z.array(Event),
  pending: z.number(),
  seen: z.number(),
  dropped: z.record(z.string(), z.number()),
});

/** A virtual machine under emulation compiles for a while. */
const timeout = 300_000;
const noQueues = (await offers('scx_bpf_create_dsq'))
  ? false
  : 'the BTF of this kernel lets no scheduler create a queue';

describe('live events', { timeout }, () => {
  let server: Server;
  before(async () => {
    server = await startServer('--daemon', '--show-addresses');
  });
  afterEach(() => call('control_event_tracking', { action: 'stop' }));
  after(() => server.close());

  async function answer(name: string, args: Record<string, unknown>) {
    const options = { timeout: 120_000 };
    const result = Result.parse(await server.client.callTool({ name, arguments: args }, options));
    assert.notEqual(result.isError, true, result.content[0]?.text);
    assert.ok(result.structuredContent);
    return result.structuredContent;
  }

  const call = async (name: string, args: Record<string, unknown>) =>
    (await answer(name, args)).data;

  /** What comes while something happens. Each answer adds up. */
  async function track(
    types: string,
    happens: () => Promise<unknown>,
    filter: Record<string, unknown> = {},
  ): Promise<readonly Event[]> {
    await call('control_event_tracking', { action: 'start', types, ...filter });
    await happens();
    await call('control_event_tracking', { action: 'stop' });
    const events: Event[] = [];
    for (;;) {
      const read = Read.parse(await call('read_events', { limit: 5000 }));
      const dropped = Object.values(read.dropped).reduce((sum, each) => sum + each, 0);
      assert.equal(read.seen, read.events.length + dropped);
      assert.equal(dropped, 0, JSON.stringify(read.dropped));
      events.push(...read.events);
      if (read.pending === 0) return events;
    }
  }

  const cpu = 1;

  test('a CPU that goes and comes back takes its steps in both directions', {
    skip: canGoOffline(cpu) ? false : 'this machine lets no CPU go',
  }, async () => {
    const events = await track('cpuhp_enter,cpuhp_exit', async () => {
      await setOnline(cpu, false);
      await setOnline(cpu, true);
    });
    const enters = events.filter(({ type }) => type === 'cpuhp_enter');
    const exits = events.filter(({ type }) => type === 'cpuhp_exit');
    assert.ok(enters.length > 10 && exits.length > 10);
    assert.deepEqual(new Set([...enters, ...exits].map((each) => each.cpu)), new Set([cpu]));
    // CPUHP_OFFLINE is 0; the highest state that is asked for is that of a CPU that is online.
    const targets = new Set(enters.map((each) => each['target']));
    assert.ok(targets.has(0) && targets.size > 1);
    for (const each of exits) assert.equal(each['ret'], 0);
    for (const each of enters) assert.match(String(each['function']), /^\w+/);
  });

  test('a kernel function is told each time that it is called, by whom', async () => {
    const events = await track('kprobe', () => run('sh', '-c', 'cat /proc/meminfo'), {
      kprobe: 'vfs_read',
    });
    const cat = events.filter((each) => each['comm'] === 'cat');
    assert.ok(cat.length > 0);
    const [symbol] = readFileSync('/proc/kallsyms', 'utf8').match(/^\w+ . vfs_read$/m) ?? [''];
    const address = BigInt(`0x${symbol?.split(' ')[0]}`);
    for (const each of cat) {
      assert.equal(each['function'], 'vfs_read');
      // The probe stands a few bytes behind the beginning of the function.
      const behind = BigInt(String(each['instruction_pointer'])) - address;
      assert.ok(behind >= 0n && behind < 16n, `${behind} bytes behind ${symbol}`);
    }
  });

  test('a task that stays blocked is told as hanging', async () => {
    const path = '/proc/sys/kernel/hung_task_timeout_secs';
    const before_s = readFileSync(path, 'utf8');
    try {
      writeFileSync(path, '2');
      // What writes to a file system that is frozen waits without being able to be killed.
      const script = 'fsfreeze -f /; touch /hangs & sleep 9; fsfreeze -u /; wait; rm -f /hangs';
      const events = await track('sched_hang', () => run('sh', '-c', script));
      assert.ok(events.some((each) => each['comm'] === 'touch' && Number(each['pid']) > 0));
    } finally {
      writeFileSync(path, before_s);
    }
  });

  test('firmware pressure is told as what this machine lacks', async () => {
    const { unavailable } = await answer('control_event_tracking', { action: 'status' });
    const pressure = unavailable?.find(({ what }) => what === 'hw_pressure');
    assert.match(pressure?.reason ?? '', /CONFIG_SCHED_HW_PRESSURE/);
  });

  test('switches and wakeups of tasks know the processes of both sides', async () => {
    const events = await track(
      'sched_switch,sched_wakeup,sched_waking,sched_migrate_task,exec,exit,ipi,softirq',
      () => run('perf', 'bench', 'sched', 'pipe', '-l', '200'),
    );
    const switches = events.filter(({ type }) => type === 'sched_switch');
    assert.ok(switches.length > 300);
    for (const each of switches) {
      assert.equal(typeof each['prev_tgid'], 'number');
      assert.equal(typeof each['next_tgid'], 'number');
    }
    const bench = events.filter((each) => each['comm'] === 'sched-pipe');
    assert.ok(bench.some(({ type }) => type === 'sched_wakeup'));
    const exec = events.find((each) => each.type === 'exec' && each['comm'] === 'perf');
    assert.match(String(exec?.['filename']), /perf$/);
  });

  describe('under a scheduler', { skip: noQueues }, () => {
    afterEach(unloadScheduler);

    test('each insert into a queue is told, and switches know the queue', async () => {
      await loadScheduler('fifo');
      const events = await track(
        'sched_switch,dsq_insert,sched_wakeup',
        () => run('perf', 'bench', 'sched', 'pipe', '-l', '200'),
        { comm: 'sched-pipe' },
      );
      const inserts = events.filter((each) => each.type === 'dsq_insert');
      const own = inserts.filter((each) => each['dsq_id'] === '0x7');
      assert.ok(own.length > 100);
      for (const each of own) {
        assert.equal(each['comm'], 'sched-pipe');
        assert.equal(each['dsq_label'], 'user');
        // Not ordered by it, so there is none.
        assert.ok(!('vtime' in each));
        assert.ok(Number(each['nr_queued']) >= 1);
        assert.equal(each['slice_ns'], 20_000_000);
      }
      const into = events.filter(
        (each) => each.type === 'sched_switch' && each['next_dsq_id'] === '0x7',
      );
      assert.ok(into.length > 100);
      for (const each of into) {
        assert.ok(Number(each['next_dsq_lat_us']) > 0);
        assert.ok(Number(each['next_dsq_nr_queued']) >= 1);
        assert.ok(Number(each['next_slice_ns']) <= 20_000_000);
      }
    });

    test('tasks that wait too long in a queue one after the other raise an alert', async () => {
      await loadScheduler('fifo');
      // Beside such a load bpftrace would need minutes to begin.
      const events = await track('alert', async () => {
        const busy = spin(12, '0-1');
        const wakers = pingPong();
        await pause(6000);
        await Promise.all([busy.stop(), wakers.stop()]);
      });
      const found = events.find((each) => each['rule'] === 'dsq_latency');
      assert.ok(found);
      assert.equal(found['count'], 15);
      assert.ok(Number(found['max_latency_us']) > 1000);
    });

    test('what a scheduler asks of a CPU is told', async () => {
      await loadScheduler('cpuperf');
      const events = await track('sched_cpu_perf_set', () => pause(1000));
      const asked = events.filter(({ type }) => type === 'sched_cpu_perf_set');
      assert.ok(asked.length > 0);
      for (const each of asked) {
        assert.equal(each['perf'], 512);
        assert.ok(each.cpu === 0 || each.cpu === 1);
      }
    });
  });
});
