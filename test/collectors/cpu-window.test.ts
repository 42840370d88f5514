import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cpuShares } from '../../src/collectors/cpu-shares.ts';
import { measureCpuWindow } from '../../src/collectors/cpu-window.ts';
import { latency, runQueueWait } from '../../src/collectors/run-queue-wait.ts';
import type { Context } from '../../src/context.ts';
import type { Finished } from '../../src/exec/start.ts';
import { ended } from '../ended.ts';
import { call, fakeHost, procStat, scriptedContext } from '../fake-host.ts';

const measure = (before: string, after: string, parts: Partial<Context> = {}) =>
  measureCpuWindow(
    scriptedContext(fakeHost({ 'proc/stat': before }), [{ 'proc/stat': after }], parts),
    undefined,
    call,
  );

const sharesOf = async (before: string, after: string) =>
  cpuShares((await measure(procStat({ 0: before }), procStat({ 0: after }))).ticks.get(0)!);

describe('shares of CPU time', () => {
  test('are those of the ticks that passed, guests taken out of user and nice', async () => {
    const shares = await sharesOf('0 0 0 0 0 0 0 0 0 0', '40 10 15 20 5 2 3 5 25 4');
    expect(shares).toEqual({
      util_pct: 75,
      user_pct: 15,
      nice_pct: 6,
      system_pct: 15,
      iowait_pct: 5,
      irq_pct: 2,
      softirq_pct: 3,
      steal_pct: 5,
      guest_pct: 29,
      idle_pct: 20,
    });
  });

  test('stay from 0 to 100 when idle and iowait go backwards', async () => {
    const shares = await sharesOf('0 0 0 900 50 0 0 0 0 0', '10 0 30 880 20 0 0 0 0 0');
    expect(shares).toMatchObject({ util_pct: 100, user_pct: 25, idle_pct: 0, iowait_pct: 0 });
  });

  test('are null for columns that the kernel does not have', async () => {
    const shares = await sharesOf('0 0 0 0', '50 0 0 50');
    expect(shares).toMatchObject({ util_pct: 50, idle_pct: 50, iowait_pct: null, steal_pct: null });
  });

  test('are null when no tick passed', async () => {
    const shares = await sharesOf('5 5 5 5 5 5 5 5 0 0', '5 5 5 5 5 5 5 5 0 0');
    expect(Object.values(shares).every((share) => share === null)).toBe(true);
  });
});

describe('CPUs that come and go', () => {
  const line = '0 0 0 100 0 0 0 0 0 0';
  test('one that went offline is named and is not among the online ones', async () => {
    const window = await measure(procStat({ 0: line, 3: line }), procStat({ 0: line }));
    expect(window.online).toEqual([0]);
    expect(window.warnings.join()).toContain('CPU 3');
  });

  test('one that came online has no numbers and a reason', async () => {
    const window = await measure(procStat({ 0: line }), procStat({ 0: line, 3: line }));
    expect(window.online).toEqual([0, 3]);
    expect(window.ticks.has(3)).toBe(false);
    expect(window.unavailable.map(({ what }) => what)).toContain('CPU 3');
  });
});

test('without /proc/stat the failure says so', async () => {
  const ctx = scriptedContext(fakeHost({}));
  await expect(measureCpuWindow(ctx, undefined, call)).rejects.toMatchObject({
    code: 'FEATURE_UNAVAILABLE',
    message: expect.stringContaining('/proc/stat'),
  });
});

describe('run-queue waits from /proc/schedstat', () => {
  const schedstat = (wakeups: number, wait_ns: number, timeslices: number): string =>
    `version 17\ntimestamp 1\ncpu0 0 0 9 1 ${wakeups} 0 1 ${wait_ns} ${timeslices}\n`;
  const window = (counted: string) => {
    const stat = procStat({ 0: '0 0 0 0' });
    const root = fakeHost({
      'proc/stat': stat,
      'proc/schedstat': schedstat(100, 5_000_000, 10),
      'proc/sys/kernel/sched_schedstats': counted,
    });
    const later = { 'proc/schedstat': schedstat(160, 17_000_000, 50) };
    return measureCpuWindow(scriptedContext(root, [later]), 1000, call);
  };

  test('are sums and means of the window', async () => {
    const counts = (await window('0\n')).queues?.get(0);
    expect(latency(counts!)).toEqual({
      avg_ns: 300_000,
      min_ns: null,
      max_ns: null,
      total_ns: 12_000_000,
      samples: 40,
    });
    expect(runQueueWait(counts!, 1000)).toEqual({
      wait_ns_per_s: 12_000_000,
      avg_wait_ns: 300_000,
      timeslices_per_s: 40,
    });
  });

  test('come with wakeups where the kernel counts them', async () => {
    expect((await window('1\n')).queues?.get(0)?.wakeups).toBe(60);
  });

  test('come without wakeups, and the command that changes it, where it does not', async () => {
    const { queues, unavailable } = await window('0\n');
    expect(queues?.get(0)?.wakeups).toBeNull();
    expect(unavailable).toContainEqual(
      expect.objectContaining({ what: 'nr_wakeups', fix: 'sudo sysctl kernel.sched_schedstats=1' }),
    );
  });

  test('are absent with a reason where the kernel has no such file', async () => {
    const stat = procStat({ 0: '0 0 0 0' });
    const { queues, unavailable } = await measure(stat, stat);
    expect(queues).toBeNull();
    expect(unavailable.map(({ reason }) => reason).join()).toContain('CONFIG_SCHEDSTATS');
  });
});

describe('switches and migrations by perf stat', () => {
  const recorded = 'fixtures/perf-stat/switches-2cpu.k6.18.44.perf-6.1.192/input.txt';
  const stat = procStat({ 0: '0 0 0 0', 1: '0 0 0 0' });
  const perf = (output: Partial<Finished>): Partial<Context> => ({
    find: () => ({ path: '/usr/bin/perf' }),
    run: () => Promise.resolve({ ...ended, duration_ms: 600, ...output }),
  });
  const host = (paranoid: string, parts: Partial<Context>) => {
    const files = { 'proc/stat': stat, 'proc/sys/kernel/perf_event_paranoid': paranoid };
    return scriptedContext(fakeHost(files), [], parts);
  };

  test('are counts, and rates over the time that each counter ran', async () => {
    const ctx = host('2\n', { ...perf({ stdout: readFileSync(recorded, 'utf8') }), uid: 0 });
    const { switches } = await measureCpuWindow(ctx, undefined, call);
    expect(switches?.window_ms).toBe(501);
    expect(switches?.of.get(1)).toEqual({
      nr_switches: 379,
      switches_per_s: 757,
      nr_migrations: 16,
      migrations_per_s: 32,
    });
  });

  test('start before utilisation is measured, so that the start of perf is not in it', async () => {
    const ctx = host('2\n', { ...perf({}), uid: 0 });
    await measureCpuWindow(ctx, 2000, call);
    expect(ctx.waits).toEqual([100, 2000]);
  });

  test.each([
    ['2', 1000, false],
    ['1', 1000, false],
    ['0', 1000, true],
    ['-1', 1000, true],
    ['2', 0, true],
  ])('with perf_event_paranoid %s user %i may: %s', async (paranoid, uid, may) => {
    const ctx = host(`${paranoid}\n`, {
      ...perf({ stdout: readFileSync(recorded, 'utf8') }),
      uid,
    });
    const { switches, unavailable } = await measureCpuWindow(ctx, undefined, call);
    expect(switches !== null).toBe(may);
    const fixes = unavailable.map(({ fix }) => fix);
    expect(fixes.includes('sudo sysctl kernel.perf_event_paranoid=0')).toBe(!may);
  });

  test('are left out of a read-only server, which says so', async () => {
    const settings = { daemon: false, readOnly: true };
    const ctx = host('0\n', { ...perf({}), uid: 0, settings });
    const { switches, unavailable } = await measureCpuWindow(ctx, undefined, call);
    expect(switches).toBeNull();
    expect(unavailable.map(({ reason }) => reason).join()).toContain('read-only');
  });

  test('are absent with what perf said when it counted nothing', async () => {
    const stderr = 'WARNING: perf not found for kernel 6.8.0\n';
    const ctx = host('2\n', { ...perf({ stderr, exit_code: 2 }), uid: 0 });
    const { switches, unavailable } = await measureCpuWindow(ctx, undefined, call);
    expect(switches).toBeNull();
    expect(unavailable.map(({ reason }) => reason).join()).toContain('perf not found for kernel');
  });
});
