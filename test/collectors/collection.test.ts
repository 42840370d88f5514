import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  disableCollection,
  enableCollection,
  resetStats,
} from '../../src/collectors/collection-control.ts';
import { collectTopProcesses } from '../../src/collectors/collection-processes.ts';
import { collectSchedulingStats } from '../../src/collectors/collection-stats.ts';
import type { Context } from '../../src/context.ts';
import { toTracewrightError } from '../../src/errors.ts';
import { getTopProcesses } from '../../src/tools/collection/get-top-processes.ts';
import { fake_pid, fakeBpftrace, mapLine } from '../fake-bpftrace.ts';
import { call, fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';

const own_pid = 500;
const capable = 'CapEff:\t000001ffffffffff\n';
const btf = { 'sys/kernel/btf/vmlinux': '' };

const counts = (
  per_cpu: Record<string, number>,
  from: Record<string, number>,
  to: Record<string, number>,
  exited: Record<string, string> = {},
) => [
  mapLine('@per_cpu', per_cpu),
  mapLine('@from', from),
  mapLine('@to', to),
  mapLine('@exited', exited),
];

/** At the begin, after the work, and after some more. */
const three = [
  counts({ 0: 10 }, { 7: 6, 0: 4 }, { 7: 5, 0: 5 }),
  counts(
    { 0: 70, 1: 50 },
    { 7: 46, 8: 20, 0: 34, [own_pid]: 12, [fake_pid]: 8 },
    { 7: 50, 8: 20, 0: 30, [own_pid]: 12, [fake_pid]: 8 },
    { 8: 'gone' },
  ),
  counts({ 0: 80, 1: 50 }, { 7: 56, 8: 20, 0: 34 }, { 7: 60, 8: 20, 0: 30 }),
];

function host(
  prints: Parameters<typeof fakeBpftrace>[0] = three,
  parts: Partial<Context> = {},
  files: HostFilesNow = btf,
  version?: string,
) {
  const tracer = fakeBpftrace(prints, version);
  const root = fakeHost({ 'proc/self/status': capable, 'proc/7/comm': 'worker\n', ...files });
  const ctx = scriptedContext(root, [], { ...tracer.parts, ...parts });
  const link = (path: string) => (path === '/proc/self' ? String(own_pid) : null);
  return { tracer, ctx: { ...ctx, files: { ...ctx.files, link } } };
}

const limit = { duration_secs: 60 };
const top = { limit: 10, offset: 0, sort_by: 'total' } as const;

async function refusal(work: Promise<unknown>) {
  const { code, message, suggestion } = toTracewrightError(await work.catch((thrown) => thrown));
  return { code, message, suggestion };
}

describe('before it was ever enabled', () => {
  test('figures are null, with the reason, and nothing is started', async () => {
    const { ctx, tracer } = host();
    const stats = await collectSchedulingStats(ctx, call);
    expect(stats.data).toMatchObject({
      collection_enabled: false,
      total_events: null,
      context_switches: null,
      per_cpu: null,
    });
    expect(stats.unavailable?.[0]?.reason).toBe('Collection was never enabled in this server.');
    const processes = await collectTopProcesses(ctx, top, call);
    expect(processes.data.top_processes).toBeNull();
    expect(tracer.started).toEqual([]);
  });

  test('disable and reset say so in the documented words', async () => {
    const { ctx } = host();
    expect((await disableCollection(ctx, call)).data.message).toBe('Collection already disabled');
    expect((await resetStats(ctx, call)).data.message).toBe('Statistics reset successfully');
  });
});

describe('while it is enabled', () => {
  test('enable answers in the documented words, once and again', async () => {
    const { ctx, tracer } = host();
    const first = await enableCollection(ctx, limit, call);
    expect(first.data).toMatchObject({
      message: 'Collection enabled, stats reset',
      collection_enabled: true,
      time_limit_secs: 60,
    });
    const again = await enableCollection(ctx, { duration_secs: 5 }, call);
    expect(again.data).toMatchObject({
      message: 'Collection already enabled',
      time_limit_secs: 60,
    });
    expect(tracer.started).toHaveLength(1);
  });

  test('statistics cover what came since, without our own processes', async () => {
    const { ctx } = host();
    await enableCollection(ctx, limit, call);
    ctx.pass(2000);
    const { data, window_ms } = await collectSchedulingStats(ctx, call);
    expect(data.context_switches).toBe(110);
    expect(data.per_cpu).toEqual([
      { cpu: 0, switches: 60 },
      { cpu: 1, switches: 50 },
    ]);
    // Both sides of each switch: (40 + 45) of 7, (20 + 20) of 8, (30 + 25) of the idle task.
    expect(data.total_events).toBe(180);
    expect(data.unique_processes).toBe(3);
    expect(data.own?.switches).toBe(20);
    expect(data.num_cpus_observed).toBe(2);
    expect(window_ms).toBe(2000);
    expect(data.events_per_sec).toBe(90);
    expect(data.collection_duration_secs).toBe(2);
  });

  test('what the probes of a helper’s tracer missed is null with the reason, not 0', async () => {
    const { ctx } = host(three, {
      uid: 1000,
      helper: { route: () => 'socket', problem: () => null },
    });
    await enableCollection(ctx, limit, call);
    const { data, unavailable } = await collectSchedulingStats(ctx, call);
    expect(data.missed_events).toBeNull();
    expect(unavailable).toContainEqual(
      expect.objectContaining({ what: 'missed_events', fix: 'sudo tracewright mcp' }),
    );
    await disableCollection(ctx, call);
  });

  test('processes are ranked by what was asked for, with the names they have or had', async () => {
    const { ctx } = host();
    await enableCollection(ctx, limit, call);
    const { data } = await collectTopProcesses(ctx, { ...top, sort_by: 'switches_from' }, call);
    expect(data.top_processes).toEqual([
      { tgid: 7, comm: 'worker', switches_from: 40, switches_to: 45, total_switches: 85 },
      { tgid: 0, comm: 'swapper', switches_from: 30, switches_to: 25, total_switches: 55 },
      { tgid: 8, comm: 'gone', switches_from: 20, switches_to: 20, total_switches: 40 },
    ]);
    const second = await collectTopProcesses(ctx, { ...top, limit: 1, offset: 1 }, call);
    expect(second.data.top_processes?.map(({ tgid }) => tgid)).toEqual([0]);
  });

  test('an unknown order is refused, with the known ones', async () => {
    const { ctx } = host();
    const work = getTopProcesses.invoke({ sort_by: 'cpu' }, ctx, call);
    const { code, suggestion } = await refusal(work);
    expect(code).toBe('INVALID_PARAMS');
    expect(suggestion).toContain('switches_from|switches_to|total');
  });

  test('reset begins a new window without attaching anew', async () => {
    const { ctx, tracer } = host();
    await enableCollection(ctx, limit, call);
    ctx.pass(2000);
    expect((await resetStats(ctx, call)).data.message).toBe('Statistics reset successfully');
    ctx.pass(500);
    const { data } = await collectSchedulingStats(ctx, call);
    expect(data.context_switches).toBe(10);
    expect(data.window_secs).toBe(0.5);
    expect(tracer.started).toHaveLength(1);
  });

  test('a full table is told with the switches that no row has', async () => {
    const { ctx, tracer } = host();
    await enableCollection(ctx, limit, call);
    const keys = Number(tracer.started[0]?.environment['BPFTRACE_MAX_MAP_KEYS']);
    const many = Object.fromEntries(Array.from({ length: keys }, (_, tgid) => [tgid, 1]));
    const full = host([counts({ 0: 0 }, {}, {}), counts({ 0: keys + 40 }, many, many)]);
    await enableCollection(full.ctx, limit, call);
    const { data, warnings } = await collectSchedulingStats(full.ctx, call);
    expect(data.unattributed_switches).toBe(40);
    expect(warnings?.[0]).toContain('full');
  });
});

describe('after it ended', () => {
  test('disable freezes window and figures, and leaves nothing running', async () => {
    const { ctx, tracer } = host();
    await enableCollection(ctx, limit, call);
    ctx.pass(2000);
    expect((await disableCollection(ctx, call)).data.message).toBe('Collection disabled');
    expect(tracer.running()).toBe(0);
    ctx.pass(60_000);
    const { data } = await collectSchedulingStats(ctx, call);
    expect(data).toMatchObject({
      collection_enabled: false,
      ended_by: 'request',
      window_secs: 2,
      context_switches: 110,
      events_per_sec: 90,
    });
  });

  test('a reset then leaves nothing to tell, and the next enable begins anew', async () => {
    const { ctx } = host();
    await enableCollection(ctx, limit, call);
    await disableCollection(ctx, call);
    await resetStats(ctx, call);
    const { data, unavailable } = await collectSchedulingStats(ctx, call);
    expect(data.context_switches).toBeNull();
    expect(unavailable?.[0]?.reason).toContain('reset');
    const { data: enabled } = await enableCollection(ctx, limit, call);
    expect(enabled.message).toBe('Collection enabled, stats reset');
  });

  test('a bpftrace that something else ended is told, and the next enable attaches again', async () => {
    const { ctx, tracer } = host();
    await enableCollection(ctx, limit, call);
    ctx.pass(2000);
    await collectSchedulingStats(ctx, call);
    tracer.die();
    await Promise.resolve();
    const { data, warnings } = await collectSchedulingStats(ctx, call);
    expect(data).toMatchObject({ collection_enabled: false, ended_by: 'tracer_ended' });
    expect(data.context_switches).toBe(110);
    expect(warnings?.join()).toContain('may be lost');
    await enableCollection(ctx, limit, call);
    expect(tracer.started).toHaveLength(2);
  });

  describe('by its time limit', () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    test('the statistics stay and say so', async () => {
      vi.useFakeTimers();
      const { ctx, tracer } = host();
      await enableCollection(ctx, { duration_secs: 5 }, call);
      ctx.pass(5000);
      await vi.advanceTimersByTimeAsync(5000);
      expect(tracer.running()).toBe(0);
      const { data, warnings } = await collectSchedulingStats(ctx, call);
      expect(data).toMatchObject({ ended_by: 'time_limit', window_secs: 5, context_switches: 110 });
      expect(warnings?.join()).toContain('time limit of 5 s');
    });
  });
});

describe('the program', () => {
  const commandFor = async (files: HostFilesNow, version: string) => {
    const { ctx, tracer } = host(three, {}, files, version);
    const { data } = await enableCollection(ctx, limit, call);
    return { words: tracer.started[0]?.args.join(' '), attached: data.attached[0] };
  };

  test.each([
    ['0.23.2', btf, '/scripts/collection.bt', 'rawtracepoint:sched_switch'],
    ['0.18.0', btf, '/scripts/collection.bt', 'rawtracepoint:sched_switch'],
    ['0.17.0', btf, '/scripts/collection-tracepoint.bt', 'tracepoint:sched:sched_switch'],
    ['0.23.2', {}, '/scripts/collection-tracepoint.bt', 'tracepoint:sched:sched_switch'],
  ])(
    'of bpftrace %s is the one that it and the kernel can run',
    async (version, files, path, at) => {
      const { words, attached } = await commandFor(files, version);
      expect(words).toContain(path);
      expect(attached).toBe(at);
    },
  );

  test('that tells thread ids gives processes all the same', async () => {
    const prints = [
      counts({ 0: 0 }, {}, {}),
      counts({ 0: 9 }, { '7,7': 4, '7,71': 3, '0,0': 2 }, { 7: 4, 71: 3, 0: 2 }),
    ];
    const { ctx } = host(prints, {}, btf, '0.17.0');
    await enableCollection(ctx, limit, call);
    const { data } = await collectTopProcesses(ctx, top, call);
    expect(data.top_processes?.[0]).toMatchObject({ tgid: 7, switches_from: 7, switches_to: 7 });
  });
});

describe('refused, with what helps', () => {
  test.each([
    ['without bpftrace', { find: () => ({ problem: 'missing', path: null }) }, 'TOOL_NOT_FOUND'],
    ['as another user than root', { uid: 1000 }, 'CAPABILITY_MISSING'],
    ['read-only', { settings: { daemon: false, readOnly: true } }, 'NOT_ALLOWED'],
  ] as [string, Partial<Context>, string][])('%s', async (_why, parts, code) => {
    const { ctx, tracer } = host(three, parts);
    const refused = await refusal(enableCollection(ctx, limit, call));
    expect(refused.code).toBe(code);
    expect(refused.suggestion).not.toBe('');
    expect(tracer.started).toEqual([]);
  });

  test('root without the rights of root', async () => {
    const files = { ...btf, 'proc/self/status': 'CapEff:\t0000000000000000\n' };
    const { code } = await refusal(enableCollection(host(three, {}, files).ctx, limit, call));
    expect(code).toBe('CAPABILITY_MISSING');
  });

  test('a bpftrace that cannot attach says why', async () => {
    const { ctx, tracer } = host();
    const work = enableCollection({ ...ctx, start: failing(tracer) }, limit, call);
    const { code, message } = await refusal(work);
    expect(code).toBe('EXECUTION_FAILED');
    expect(message).toContain('Failed to attach:');
    expect(message).toContain('ERROR: no such tracepoint');
  });
});

/** Ends before it has attached anything. */
const failing =
  (tracer: ReturnType<typeof fakeBpftrace>): Context['start'] =>
  async (command) => {
    const running = await tracer.parts.start(command, {});
    tracer.die('ERROR: no such tracepoint');
    return running;
  };

test('in a PID namespace nobody is taken for ourselves, and no name is guessed', async () => {
  const { ctx } = host();
  const link = (path: string) => (path === '/proc/self/ns/pid' ? 'pid:[4026532000]' : '7');
  const inside = { ...ctx, files: { ...ctx.files, link } };
  await enableCollection(inside, limit, call);
  const stats = await collectSchedulingStats(inside, call);
  expect(stats.data.own?.switches).toBeNull();
  expect(stats.warnings?.join()).toContain('PID namespace');
  const { data, unavailable } = await collectTopProcesses(inside, top, call);
  expect(data.top_processes?.[0]).toMatchObject({ tgid: 7, comm: null });
  expect(unavailable?.[0]?.what).toBe('comm');
});
