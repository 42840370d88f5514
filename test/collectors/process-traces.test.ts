import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  collectTracedProcess,
  collectTracedProcesses,
} from '../../src/collectors/process-traces.ts';
import type { Context } from '../../src/context.ts';
import { fakeHost } from '../fake-host.ts';
import { type FakeProc, fakeProc } from '../fake-proc.ts';
import { fakeTracer, record } from '../fake-tracer.ts';
import { call, steppedContext } from '../stepped-context.ts';

const list = { limit: 20, offset: 0, sort: 'pid' } as const;

let host: FakeProc;
beforeEach(() => {
  host = fakeProc();
  host.write({ pid: 7, comm: 'server', others: [{ tid: 8 }, { tid: 9 }] });
  host.write({ pid: 20, comm: 'client' });
  host.write({ pid: 30, comm: 'tracewright' });
  host.setSelf(30);
  for (const [pid, comm] of [
    [7, 'server'],
    [20, 'client'],
  ] as const) {
    fakeHost({ [`proc/${pid}/comm`]: `${comm}\n` }, host.root);
  }
  // Threads have a folder there, too, that is not listed.
  for (const tid of [8, 9]) fakeHost({ [`proc/${tid}/status`]: 'Tgid:\t7\n' }, host.root);
  fakeHost({ 'proc/self/status': 'CapEff:\t000001ffffffffff\n' }, host.root);
});
afterEach(() => host.dispose());

/** Thread 11 was one of process 7 and ended; 4242 is bpftrace. */
const printed = [
  record('stats', '@wait_ns', {
    '7,1': { count: 90, average: 2000, total: 180_000 },
    '7,0': { count: 10, average: 50_000, total: 500_000 },
    '20,1': { count: 50, average: 3000, total: 150_000 },
    '4242,1': { count: 1000, average: 9, total: 9000 },
    '30,1': { count: 1000, average: 9, total: 9000 },
    '999,1': { count: 1, average: 9_000_000, total: 9_000_000 },
  }),
  record('map', '@wait_max', {
    '7,1': 4000,
    '7,0': 80_000,
    '20,1': 3500,
    '999,1': 9_000_000,
    '4242,1': 9,
    '30,1': 9,
  }),
  record('hist', '@wait_hist', {
    '1': [
      { min: 2048, max: 4095, count: 2140 },
      { min: 8_388_608, max: 16_777_215, count: 1 },
    ],
    '0': [{ min: 32_768, max: 65_535, count: 10 }],
  }),
  record('hist', '@pid_hist', {
    '1': [
      { min: 1024, max: 2047, count: 60 },
      { min: 2048, max: 4095, count: 30 },
    ],
    '0': [
      { min: 32_768, max: 65_535, count: 9 },
      { min: 65_536, max: 131_071, count: 1 },
    ],
  }),
  record('map', '@wakes', {
    '20,7': 5,
    '20,8': 40,
    '20,11': 30,
    '0,9': 12,
    '7,20': 50,
    '4242,20': 700,
    '999,20': 2,
  }),
  record('map', '@moves', { '7,0,1': 1, '8,0,1': 2, '11,1,0': 4, '20,0,1': 8 }),
  record('map', '@ended', { '11': 7, '12': 999 }),
].join('\n');

function setup(daemon = false, maps = printed) {
  const tracer = fakeTracer(() => maps);
  const ctx: Context = {
    ...steppedContext(host.root, [], daemon),
    uid: 0,
    find: () => ({ path: '/usr/bin/bpftrace' }),
    start: tracer.start,
    script: (name) => ({ path: `/scripts/bpftrace/${name}.bt`, text: '' }),
  };
  return { ctx, tracer };
}

describe('the list of processes', () => {
  test('has no field more and starts nothing without trace_ms', async () => {
    const { ctx, tracer } = setup();
    const { data, lost_events } = await collectTracedProcesses(ctx, list, call);
    expect(data.processes[0]).not.toHaveProperty('wakeup_latency');
    expect(data).not.toHaveProperty('traced');
    expect(lost_events).toBeUndefined();
    expect(tracer.commands).toEqual([]);
  });

  test('tells of each process its waits, its moves and who woke it, over all its threads', async () => {
    const { ctx } = setup();
    const { data, source, lost_events } = await collectTracedProcesses(
      ctx,
      { ...list, trace_ms: 1000 },
      call,
    );
    expect(source).toContain('bpftrace');
    expect(lost_events).toBe(0);
    expect(data.processes[0]).toMatchObject({
      pid: 7,
      wakeup_latency: { count: 90, avg_ns: 2000, max_ns: 4000 },
      run_queue_latency: { count: 100, avg_ns: 6800, max_ns: 80_000 },
      migrations: { count: 7 },
      wakers: [
        { pid: 20, comm: 'client', wakeups: 75 },
        { pid: 0, wakeups: 12 },
      ],
    });
    expect(data.processes[1]).toMatchObject({
      pid: 20,
      migrations: { count: 8 },
      wakers: [
        { pid: 7, comm: 'server', wakeups: 50 },
        { pid: 999, comm: null, wakeups: 2 },
      ],
    });
  });

  test('tells what stands out among all, ended processes included', async () => {
    const { ctx } = setup();
    const { data, summary } = await collectTracedProcesses(ctx, { ...list, trace_ms: 1000 }, call);
    expect(data.traced?.wakeup_latency).toMatchObject({ count: 2141, max_ns: 9_000_000 });
    expect(data.traced?.longest_waits[0]).toMatchObject({ pid: 999, comm: null, count: 1 });
    expect(data.traced?.top_wakeups).toEqual([
      { waker_pid: 20, waker_comm: 'client', woken_pid: 7, woken_comm: 'server', wakeups: 75 },
      { waker_pid: 7, waker_comm: 'server', woken_pid: 20, woken_comm: 'client', wakeups: 50 },
      expect.objectContaining({ waker_pid: 0, woken_pid: 7, wakeups: 12 }),
      expect.objectContaining({ waker_pid: 999, woken_pid: 20, wakeups: 2 }),
    ]);
    expect(summary.join('\n')).toMatch(/Longest wait 9 ms/);
    expect(summary.length).toBeLessThanOrEqual(6);
  });

  test('leaves out those that measure, and says so', async () => {
    const { ctx } = setup();
    const { data, unavailable } = await collectTracedProcesses(
      ctx,
      { ...list, trace_ms: 1000 },
      call,
    );
    const own = data.processes.find(({ pid }) => pid === 30);
    expect(own).toMatchObject({ self: true, wakeup_latency: null, wakers: null });
    expect(unavailable?.map(({ what }) => what)).toContain('what was traced of process 30');
    expect(unavailable?.map(({ what }) => what)).toContain('exact percentiles');
    expect(JSON.stringify(data.traced)).not.toContain('4242');
  });

  test('is not told to trace', async () => {
    const { ctx } = setup();
    const wanted = { ...list, trace_ms: 1000 };
    const { unavailable = [] } = await collectTracedProcesses(ctx, wanted, call);
    const missing = unavailable.find(({ what }) => what.startsWith('latency.min_ns'));
    expect(missing).toMatchObject({
      fix: null,
      reason: expect.stringContaining('run_queue_latency'),
    });
  });

  test('that is cut goes on with a further trace', async () => {
    const { ctx } = setup();
    const query = { ...list, limit: 1, comm: 's', trace_ms: 400 };
    const { next, total, truncated } = await collectTracedProcesses(
      ctx,
      { ...query, comm: undefined },
      call,
    );
    expect({ total, truncated }).toEqual({ total: 3, truncated: true });
    expect(next).toBe('stats://aggregated/process?sort=pid&limit=1&trace_ms=400&offset=1');
  });

  test('without a tracer has all but what it would have told', async () => {
    const { ctx } = setup();
    const { data, unavailable } = await collectTracedProcesses(
      { ...ctx, uid: 1000 },
      { ...list, trace_ms: 1000 },
      call,
    );
    expect(data).toMatchObject({ trace_window_ms: null, traced: null });
    expect(data.processes[0]).toMatchObject({ pid: 7, wakeup_latency: null, migrations: null });
    expect(unavailable?.find(({ what }) => what.startsWith('wakeup'))?.reason).toMatch(/root/);
  });
});

describe('one process', () => {
  test('has percentiles and histograms of its own', async () => {
    const { ctx, tracer } = setup();
    const { data, summary } = await collectTracedProcess(
      ctx,
      { ...list, pid: 7, trace_ms: 1000 },
      call,
    );
    expect(tracer.commands[0]?.args.at(-1)).toBe('7');
    const [row] = data.processes;
    expect(row.wakeup_latency).toMatchObject({
      count: 90,
      p50_ns: 1791,
      p99_ns: 3941,
      max_ns: 4000,
    });
    expect(row.wakeup_latency?.histogram).toEqual([
      { min_ns: 1024, max_ns: 2047, count: 60 },
      { min_ns: 2048, max_ns: 4095, count: 30 },
    ]);
    expect(row.run_queue_latency).toMatchObject({ count: 100, max_ns: 80_000 });
    expect(row.run_queue_latency?.p99_ns).toBeGreaterThan(32_768);
    expect(row.run_queue_latency?.histogram).toHaveLength(4);
    expect(summary.at(-1)).toMatch(/7 migrations, woken most by client \(pid 20\), 75 times/);
  });

  test('that is not there is told before anything is attached', async () => {
    const { ctx, tracer } = setup();
    const query = { ...list, pid: 55, trace_ms: 1000 };
    await expect(collectTracedProcess(ctx, query, call)).rejects.toThrow(
      expect.objectContaining({ code: 'PID_NOT_FOUND' }),
    );
    expect(tracer.commands).toEqual([]);
  });

  test('after another one takes a tracer of its own, and the other one goes', async () => {
    const { ctx, tracer } = setup(true);
    await collectTracedProcess(ctx, { ...list, pid: 7, trace_ms: 100 }, call);
    await collectTracedProcess(ctx, { ...list, pid: 7, trace_ms: 100 }, call);
    expect(tracer.commands).toHaveLength(1);
    await collectTracedProcess(ctx, { ...list, pid: 20, trace_ms: 100 }, call);
    expect(tracer.commands).toHaveLength(2);
    expect(tracer.running()).toBe(1);
  });
});

test('what real programs printed gives figures that fit together', async () => {
  for (const version of ['0.17.0', '0.23.2']) {
    const folder = `fixtures/sched-processes/pipe-and-timers-2cpu.k6.18.44.bpftrace-${version}`;
    const [maps = ''] = readFileSync(`${folder}/input.txt`, 'utf8').split(
      '{"type": "map", "data": {"@prints"',
    );
    const { ctx } = setup(false, maps);
    const { data } = await collectTracedProcesses(ctx, { ...list, trace_ms: 1000 }, call);
    const { wakeup_latency, run_queue_latency, longest_waits = [] } = data.traced ?? {};
    const rising = [wakeup_latency?.p50_ns, wakeup_latency?.p99_ns, wakeup_latency?.max_ns];
    expect(rising.map(Number)).toEqual(rising.map(Number).toSorted((a, b) => a - b));
    expect(run_queue_latency?.count).toBeGreaterThan(wakeup_latency?.count ?? Number.NaN);
    expect(longest_waits[0]?.max_ns).toBe(run_queue_latency?.max_ns);
  }
});
