import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { collectCurrentScheduler } from '../../src/collectors/current-scheduler.ts';
import { collectSchedExtStats } from '../../src/collectors/sched-ext-stats.ts';
import type { Context } from '../../src/context.ts';
import { call, fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';

const root = 'sys/kernel/sched_ext';

const enabled = {
  'proc/sys/kernel/osrelease': '6.18.9+deb14-amd64\n',
  [`${root}/state`]: 'enabled\n',
  [`${root}/switch_all`]: '1\n',
  [`${root}/nr_rejected`]: '0\n',
  [`${root}/hotplug_seq`]: '3\n',
  [`${root}/enable_seq`]: '7\n',
  [`${root}/root/ops`]: 'lavd_1.1.2_g7a58a3a1a857_x86_64_unknown_linux_gnu\n',
  [`${root}/root/events`]: 'SCX_EV_DISPATCH_KEEP_LAST 100\nSCX_EV_NEW_IN_9_0 5\n',
};

const disabled = {
  'proc/sys/kernel/osrelease': '6.12.3\n',
  [`${root}/state`]: 'disabled\n',
  [`${root}/switch_all`]: '0\n',
  [`${root}/enable_seq`]: '0\n',
};

const current = (files: HostFilesNow) =>
  collectCurrentScheduler(scriptedContext(fakeHost(files)), call);

describe('scheduler://current', () => {
  test('names an active scheduler, its version and its build', async () => {
    const { data, unavailable } = await current(enabled);
    expect(data).toMatchObject({
      name: 'lavd',
      version: '1.1.2',
      build: 'g7a58a3a1a857_x86_64_unknown_linux_gnu',
      class: 'sched_ext',
      active: true,
      state: 'enabled',
      switch_all: true,
      nr_rejected: 0,
      hotplug_seq: 3,
      enable_seq: 7,
      fallback_class: 'EEVDF',
      sched_ext_supported: true,
      reason: null,
    });
    expect(unavailable).toEqual([]);
  });

  test('lists schedulers that run below it, at any depth', async () => {
    const { data, summary } = await current({
      ...enabled,
      [`${root}/root/sub/sub-4012/ops`]: 'rusty_1.0.14_x86_64_unknown_linux_gnu\n',
      [`${root}/root/sub/sub-4012/sub/sub-4013/ops`]: 'simple\n',
      [`${root}/root/sub/not-one`]: '',
    });
    expect(data.sub_schedulers).toEqual([
      expect.objectContaining({ id: 'sub-4012', name: 'rusty', version: '1.0.14' }),
      expect.objectContaining({ id: 'sub-4013', name: 'simple', version: null }),
    ]);
    expect(summary).toContain('2 schedulers run below it.');
  });

  test('says that a scheduler took only some tasks', async () => {
    const { summary } = await current({ ...enabled, [`${root}/switch_all`]: '0\n' });
    expect(summary[0]).toContain('tasks of policy SCHED_EXT only');
  });

  test('is the fair class with the command that loads one where none is loaded', async () => {
    const { data, unavailable } = await current(disabled);
    expect(data).toMatchObject({
      name: 'EEVDF',
      class: 'fair',
      active: false,
      state: 'disabled',
      sched_ext_supported: true,
    });
    expect(unavailable?.[0]).toMatchObject({
      reason: 'No sched_ext scheduler is loaded.',
      fix: 'sudo scx_simple',
    });
  });

  test('does not name a scheduler that is on its way out', async () => {
    const { data } = await current({ ...enabled, [`${root}/state`]: 'disabling\n' });
    expect(data).toMatchObject({ name: 'EEVDF', active: false, reason: 'sched_ext is disabling.' });
  });

  test.each([
    { release: '6.5.13-generic', name: 'CFS' },
    { release: '6.6.0', name: 'EEVDF' },
    { release: '5.10.0-33-amd64', name: 'CFS' },
    { release: '7.2.1', name: 'EEVDF' },
  ])('of a $release kernel without sched_ext is $name', async ({ release, name }) => {
    const { data } = await current({ 'proc/sys/kernel/osrelease': `${release}\n` });
    expect(data).toMatchObject({ name, class: 'fair', state: null, sched_ext_supported: false });
    expect(data.reason).toContain('CONFIG_SCHED_CLASS_EXT');
  });

  test('of a kernel whose release cannot be read has no name', async () => {
    expect((await current({})).data.name).toBeNull();
  });

  test('of a PREEMPT_RT kernel does not send anybody to load one', async () => {
    const { unavailable } = await current({ ...disabled, 'sys/kernel/realtime': '1\n' });
    expect(unavailable?.[0]).toMatchObject({ reason: expect.stringContaining('RT'), fix: null });
  });

  test('says how the last scheduler ended, from the kernel log', async () => {
    const folder = 'fixtures/scx-log/ejected-schedulers.k6.18.15';
    const stdout = `${readFileSync(`${folder}/input.txt`, 'utf8').split('\n').slice(0, 3).join('\n')}\n`;
    const ended = { exit_code: 0, signal: null, stderr: '', duration_ms: 1 };
    const host = scriptedContext(fakeHost({ ...disabled, [`${root}/enable_seq`]: '1\n' }));
    const run: Context['run'] = () => Promise.resolve({ ...ended, stdout, stopped_by: 'exit' });
    const { data, summary } = await collectCurrentScheduler({ ...host, run }, call);
    expect(data.last_exit).toEqual({
      at_s: 54.862608,
      ops: 'lab_failing',
      kind: 'runnable task stall',
      message: 'python3[213] failed to run for 1.140s',
    });
    expect(summary.join(' ')).toContain('runnable task stall: python3[213]');
  });

  test('says why the end of the last scheduler cannot be told', async () => {
    const host = scriptedContext(fakeHost({ ...disabled, [`${root}/enable_seq`]: '1\n' }));
    const stderr = 'dmesg: read kernel buffer failed: Operation not permitted';
    const ended = { exit_code: 1, signal: null, stdout: '', stderr, duration_ms: 1 };
    const run: Context['run'] = () => Promise.resolve({ ...ended, stopped_by: 'exit' });
    const { data, unavailable } = await collectCurrentScheduler({ ...host, run }, call);
    expect(data.last_exit).toBeNull();
    expect(unavailable).toContainEqual(
      expect.objectContaining({ what: 'last_exit', fix: 'sudo sysctl kernel.dmesg_restrict=0' }),
    );
  });
});

describe('stats://scheduler/scx', () => {
  test('gives totals, growth and rates of counters that nobody knew before', async () => {
    const later = {
      [`${root}/root/events`]: 'SCX_EV_DISPATCH_KEEP_LAST 150\nSCX_EV_NEW_IN_9_0 5\n',
    };
    const ctx = scriptedContext(fakeHost(enabled), [later]);
    const { data, window_ms, summary } = await collectSchedExtStats(ctx, 200, call);
    expect(window_ms).toBe(200);
    expect(data.counters).toEqual({ SCX_EV_DISPATCH_KEEP_LAST: 150, SCX_EV_NEW_IN_9_0: 5 });
    expect(data.deltas).toEqual({ SCX_EV_DISPATCH_KEEP_LAST: 50, SCX_EV_NEW_IN_9_0: 0 });
    expect(data.rates_per_s).toEqual({ SCX_EV_DISPATCH_KEEP_LAST: 250, SCX_EV_NEW_IN_9_0: 0 });
    expect(summary).toEqual(['lavd over 200 ms: SCX_EV_DISPATCH_KEEP_LAST +50.']);
  });

  test('has no rates across a change of scheduler', async () => {
    const later = {
      [`${root}/enable_seq`]: '8\n',
      [`${root}/root/events`]: 'SCX_EV_DISPATCH_KEEP_LAST 120\n',
    };
    const ctx = scriptedContext(fakeHost(enabled), [later]);
    const { data, warnings } = await collectSchedExtStats(ctx, 200, call);
    expect(data.rates_per_s).toEqual({ SCX_EV_DISPATCH_KEEP_LAST: null });
    expect(warnings?.[0]).toContain('Another scheduler');
  });

  test('counts schedulers below it', async () => {
    const files = {
      ...enabled,
      [`${root}/root/sub/sub-9/ops`]: 'simple\n',
      [`${root}/root/sub/sub-9/events`]: 'SCX_EV_ENQ_SKIP_EXITING 3\n',
    };
    const { data } = await collectSchedExtStats(scriptedContext(fakeHost(files)), 100, call);
    expect(data.sub_schedulers).toEqual([
      { id: 'sub-9', ops: 'simple', counters: { SCX_EV_ENQ_SKIP_EXITING: 3 } },
    ]);
  });

  test.each([
    { what: 'no sched_ext', files: {}, reason: /CONFIG_SCHED_CLASS_EXT/, fix: null },
    { what: 'no scheduler', files: disabled, reason: /No sched_ext/, fix: 'sudo scx_simple' },
    {
      what: 'no counters before 6.15',
      files: { ...enabled, [`${root}/root/events`]: null },
      reason: /since 6\.15/,
      fix: null,
    },
  ])('with $what says so without waiting', async ({ files, reason, fix }) => {
    const ctx = scriptedContext(fakeHost(files));
    const { data, unavailable } = await collectSchedExtStats(ctx, undefined, call);
    expect(data.counters).toBeNull();
    expect(unavailable?.[0]?.reason).toMatch(reason);
    expect(unavailable?.[0]?.fix).toBe(fix);
    expect(ctx.waits).toEqual([]);
  });
});
