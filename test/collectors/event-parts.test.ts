import { describe, expect, test } from 'vitest';
import { alertGate, cooldown_ms } from '../../src/collectors/event-alerts.ts';
import { costMeter } from '../../src/collectors/event-cost.ts';
import { lossLog } from '../../src/collectors/event-losses.ts';
import { eventTicker } from '../../src/collectors/event-ticker.ts';
import { call, fakeHost, procStat, scriptedContext } from '../fake-host.ts';

describe('losses', () => {
  test('are counted once by a reader that reads in parts, wherever the parts end', () => {
    const log = lossLog();
    log.note(11, 5);
    log.note(21, 5);
    log.note(31, 12);
    const parts = [
      [0, 10],
      [10, 11],
      [11, 30],
      [30, 40],
    ] as const;
    expect(parts.map(([after, last]) => log.between(after, last))).toEqual([0, 5, 0, 7]);
    expect(log.between(0, 40)).toBe(12);
    expect(log.total()).toBe(12);
  });

  test('that become known while nothing comes belong to the next record', () => {
    const log = lossLog();
    log.note(11, 5);
    expect(log.between(0, 10)).toBe(0);
    log.note(11, 9);
    expect(log.between(10, 11)).toBe(9);
  });

  test('are counted in sum after any number of them', () => {
    const log = lossLog();
    for (let n = 1; n <= 20_000; n++) log.note(n, n);
    expect(log.total()).toBe(20_000);
    expect(log.between(19_990, 20_000)).toBe(10);
  });
});

test('the cost of tracking is the CPU time of both programs over the window', () => {
  const stat = (ticks: number) => `7 (x) S ${'1 '.repeat(10)}${ticks} 0 ${'0 '.repeat(40)}\n`;
  const files = (tracer: number, server: number) => ({
    'proc/7/stat': stat(tracer),
    'proc/self/stat': stat(server),
  });
  const ctx = scriptedContext(fakeHost(files(100, 1000)));
  let records = 50;
  const meter = costMeter(
    ctx,
    () => records,
    () => 7,
  );
  records = 4050;
  ctx.pass(2000, files(200, 1010));
  meter.step();
  expect(meter.cost()).toEqual({
    records_per_s: 2000,
    tracer_cpu_pct: 50,
    server_cpu_pct: 5,
    tracer_cpu_s: 2,
    server_cpu_s: 0.1,
    window_ms: 2000,
  });
});

describe('events that this server makes each second', () => {
  const host = {
    'proc/stat': procStat({ 0: '100 0 0 100 0 0 0 0 0 0' }, 'ctxt 1000\nintr 500\nprocesses 7\n'),
    'proc/meminfo': 'MemAvailable:    2048 kB\n',
  };
  const later = {
    'proc/stat': procStat({ 0: '175 0 0 125 0 0 0 0 0 0' }, 'ctxt 3000\nintr 700\nprocesses 9\n'),
  };
  const fifo = {
    'sys/kernel/sched_ext/state': 'enabled\n',
    'sys/kernel/sched_ext/enable_seq': '4\n',
    'sys/kernel/sched_ext/switch_all': '1\n',
    'sys/kernel/sched_ext/root/ops': 'lab_fifo\n',
    'sys/kernel/sched_ext/root/events': 'SCX_EV_A 5\nSCX_EV_B 7\n',
  };
  const unloaded = {
    'sys/kernel/sched_ext/state': 'disabled\n',
    'sys/kernel/sched_ext/root/ops': null,
    'sys/kernel/sched_ext/root/events': null,
  };

  test('are rates over the time since the last one', async () => {
    const ctx = scriptedContext(fakeHost(host));
    const poll = eventTicker(ctx);
    ctx.pass(2000, later);
    const [event] = await poll(call);
    expect(event).toMatchObject({
      type: 'system_stat',
      util_pct: 75,
      switches_per_s: 1000,
      interrupts_per_s: 100,
      forks_per_s: 1,
      mem_available_bytes: 2048 * 1024,
      window_ms: 2000,
    });
  });

  test('tell of a scheduler that is loaded, of what it counts, and of its end', async () => {
    const ctx = scriptedContext(fakeHost({ ...host, ...unloaded }));
    const poll = eventTicker(ctx);
    ctx.pass(1000, fifo);
    expect((await poll(call)).at(-1)).toMatchObject({
      type: 'scheduler_load',
      scheduler: 'lab_fifo',
      enable_seq: 4,
      switch_all: true,
    });
    ctx.pass(1000, { 'sys/kernel/sched_ext/root/events': 'SCX_EV_A 9\nSCX_EV_B 7\n' });
    expect((await poll(call)).at(-1)).toMatchObject({
      type: 'sched_stats',
      scheduler: 'lab_fifo',
      deltas: { SCX_EV_A: 4 },
    });
    ctx.pass(1000, unloaded);
    expect((await poll(call)).at(-1)).toMatchObject({
      type: 'scheduler_unload',
      scheduler: 'lab_fifo',
    });
    ctx.pass(1000);
    expect((await poll(call)).map(({ type }) => type)).toEqual(['system_stat']);
  });
});

describe('alerts', () => {
  const found = { type: 'alert', ts: 1, cpu: 3, rule: 'wakeup_latency' } as const;

  test('of a trouble that goes on come once in ten seconds, with how often it was found', () => {
    const gate = alertGate();
    expect(gate.judge(found, 0)).toMatchObject({ rule: 'wakeup_latency', repeated: 0 });
    expect(gate.judge(found, 1000)).toBeNull();
    expect(gate.judge(found, cooldown_ms - 1)).toBeNull();
    expect(gate.judge(found, cooldown_ms)).toMatchObject({ repeated: 2 });
    expect([gate.emitted(), gate.repeated()]).toEqual([2, 2]);
  });

  test('of other CPUs come all the same', () => {
    const gate = alertGate();
    gate.judge(found, 0);
    expect(gate.judge({ ...found, cpu: 4 }, 1)).not.toBeNull();
  });

  test('remember no more than a thousand troubles', () => {
    const gate = alertGate();
    for (let cpu = 0; cpu < 5000; cpu++) gate.judge({ ...found, cpu }, 0);
    expect(gate.judge({ ...found, cpu: 4999 }, 1)).toBeNull();
    expect(gate.judge({ ...found, cpu: 0 }, 1)).not.toBeNull();
  });
});
