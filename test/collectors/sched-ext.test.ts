import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { collectCurrentScheduler } from '../../src/collectors/current-scheduler.ts';
import { collectSchedExtStats } from '../../src/collectors/sched-ext-stats.ts';
import type { Context } from '../../src/context.ts';
import type { Finished } from '../../src/exec/start.ts';
import { ended } from '../ended.ts';
import { call, fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';
import { fakePrograms } from '../fake-programs.ts';

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
      loading_process: null,
    });
    expect(unavailable).toEqual([
      expect.objectContaining({ what: 'loading_process', reason: expect.stringContaining('root') }),
    ]);
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

  test('does not name a scheduler that is on its way out, nor the end of an earlier one', async () => {
    const { data, unavailable } = await current({ ...enabled, [`${root}/state`]: 'disabling\n' });
    expect(data).toMatchObject({ name: 'EEVDF', active: false, reason: 'sched_ext is disabling.' });
    expect(unavailable).toContainEqual(expect.objectContaining({ what: 'last_exit' }));
  });

  test('waits for a scheduler that goes, and tells why it went', async () => {
    const going = fakeHost({ ...enabled, [`${root}/state`]: 'disabling\n' });
    const gone = { [`${root}/state`]: 'disabled\n', [`${root}/root/ops`]: null };
    const stdout =
      '[   54.86] sched_ext: BPF scheduler "lavd" disabled (unregistered from user space)';
    const ctx = { ...scriptedContext(going, [{}, gone]), run: says({ stdout }) };
    const { data } = await collectCurrentScheduler(ctx, call);
    expect(data).toMatchObject({ state: 'disabled', last_exit: { ops: 'lavd', message: null } });
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
    const host = scriptedContext(fakeHost({ ...disabled, [`${root}/enable_seq`]: '1\n' }));
    const ctx = { ...host, run: says({ stdout }) };
    const { data, summary } = await collectCurrentScheduler(ctx, call);
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
    const ctx = { ...host, run: says({ exit_code: 1, stderr }) };
    const { data, unavailable } = await collectCurrentScheduler(ctx, call);
    expect(data.last_exit).toBeNull();
    expect(unavailable).toContainEqual(
      expect.objectContaining({ what: 'last_exit', fix: 'sudo sysctl kernel.dmesg_restrict=0' }),
    );
  });
});

/** Every program prints this. */
function says(printed: Partial<Finished>): Context['run'] {
  return () => Promise.resolve({ ...ended, ...printed });
}

describe('the loading process', () => {
  const dump = readFileSync(
    'fixtures/bpftool-struct-ops-dump/fifo-scheduler.k6.18.15+deb13.bpftool-7.5.0/input.txt',
    'utf8',
  );
  const fifo = 'lab_fifo_1.0.0_gabcdef0_x86_64_unknown_linux_gnu';

  /** A host on which two processes hold BPF objects; `fdinfo` is that of the second one. */
  function holding(fdinfo: string, parts: Partial<Context> = {}): Context {
    const ctx = scriptedContext(
      fakeHost({
        ...enabled,
        [`${root}/root/ops`]: `${fifo}\n`,
        'proc/70/comm': 'other\n',
        'proc/70/fd/3': '',
        'proc/70/fdinfo/3': 'link_type:\tstruct_ops\nlink_id:\t8\nmap_id:\t44\n',
        'proc/71/comm': 'scx_fifo\n',
        'proc/71/fd/5': '',
        'proc/71/fdinfo/5': fdinfo,
      }),
      [],
      { uid: 0, run: says({ stdout: dump }), ...parts },
    );
    // A folder of files cannot hold the links of /proc/<pid>/fd, which name what is open.
    const link = (path: string) => (/\/fd\/\d$/.test(path) ? kindOf(fdinfo, path) : null);
    return { ...ctx, files: { ...ctx.files, link } };
  }

  const kindOf = (fdinfo: string, path: string): string =>
    path.startsWith('/proc/70/') || fdinfo.startsWith('link')
      ? 'anon_inode:bpf_link'
      : 'anon_inode:bpf-map';

  test.each([
    ['the link', 'link_type:\tstruct_ops\nlink_id:\t9\nmap_id:\t1\n'],
    ['the map', 'map_type:\t26\nkey_size:\t4\nmap_id:\t1\n'],
  ])('is the one that holds %s of the scheduler, not of another one', async (_what, fdinfo) => {
    const { data, unavailable, summary } = await collectCurrentScheduler(holding(fdinfo), call);
    expect(data.loading_process).toEqual({ pid: 71, comm: 'scx_fifo' });
    expect(summary).toContain('Process 71 (scx_fifo) keeps it loaded.');
    expect(unavailable).toEqual([]);
  });

  const listed = (pids: string) =>
    holding('', {
      uid: 1000,
      helper: { route: () => 'sudo', problem: () => null },
      ...fakePrograms((words) =>
        words === 'bpftool -j link show'
          ? `[{"id":1,"type":"struct_ops","prog_id":0,"map_id":7,"pids":[{"pid":8,"comm":"other"}]},
             {"id":2,"type":"struct_ops","prog_id":0,"map_id":1${pids}}]`
          : dump,
      ),
    });

  test('is told by a helper to a user who may not look into other processes', async () => {
    const ctx = listed(',"pids":[{"pid":71,"comm":"scx_fifo"}]');
    const { data, unavailable } = await collectCurrentScheduler(ctx, call);
    expect(data.loading_process).toEqual({ pid: 71, comm: 'scx_fifo' });
    expect(unavailable).toEqual([]);
  });

  test('is null with the reason where the helper finds none', async () => {
    const { data, unavailable } = await collectCurrentScheduler(listed(''), call);
    expect(data.loading_process).toBeNull();
    expect(unavailable?.[0]?.reason).toMatch(/names no process .* pinned/);
  });

  test.each([
    ['is pinned', 'link_type:\tcgroup\nprog_id:\t1\n', {}, /pinned/, null],
    [
      'is not to be seen by a user',
      '',
      { uid: 1000 },
      /Only root/,
      'sudo tracewright read scheduler://current',
    ],
    [
      'cannot be told from another one without bpftool',
      'link_type:\tstruct_ops\nmap_id:\t1\n',
      fakePrograms(() => null),
      /bpftool is not installed/,
      'install it',
    ],
  ] as [string, string, Partial<Context>, RegExp, string | null][])(
    'is null with the reason where the scheduler %s',
    async (_what, fdinfo, parts, reason, fix) => {
      const { data, unavailable } = await collectCurrentScheduler(holding(fdinfo, parts), call);
      expect(data.loading_process).toBeNull();
      expect(unavailable).toHaveLength(1);
      expect(unavailable?.[0]).toMatchObject({ what: 'loading_process', fix });
      expect(unavailable?.[0]?.reason).toMatch(reason);
    },
  );
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

  test('has no rates across a change of scheduler, and says why the first one went', async () => {
    const stdout = `[ 9.1] sched_ext: BPF scheduler "${enabled[`${root}/root/ops`]?.trim()}" disabled (runnable task stall)`;
    const later = {
      [`${root}/enable_seq`]: '8\n',
      [`${root}/root/events`]: 'SCX_EV_DISPATCH_KEEP_LAST 120\n',
    };
    const ctx = { ...scriptedContext(fakeHost(enabled), [later]), run: says({ stdout }) };
    const { data, warnings } = await collectSchedExtStats(ctx, 200, call);
    expect(data.rates_per_s).toEqual({ SCX_EV_DISPATCH_KEEP_LAST: null });
    expect(warnings).toEqual([
      'lavd ended during the window (runnable task stall); lavd runs now.',
      expect.stringContaining('began anew'),
    ]);
  });

  test('of a scheduler that went during the window are unavailable, with its end', async () => {
    const gone = { [`${root}/state`]: 'disabled\n', [`${root}/root/events`]: null };
    const ctx = { ...scriptedContext(fakeHost(enabled), [gone]), run: says({}) };
    const { data, warnings, unavailable } = await collectSchedExtStats(ctx, 200, call);
    expect(data.counters).toBeNull();
    expect(unavailable?.[0]?.reason).toContain('No sched_ext scheduler is loaded');
    expect(warnings?.[0]).toContain('lavd ended during the window');
  });

  test('are measured afresh where a daemon kept those of another scheduler', async () => {
    const settings = { daemon: true, readOnly: false };
    const next = {
      [`${root}/enable_seq`]: '8\n',
      [`${root}/root/events`]: 'SCX_EV_DISPATCH_KEEP_LAST 2\n',
    };
    const grown = { [`${root}/root/events`]: 'SCX_EV_DISPATCH_KEEP_LAST 7\n' };
    const ctx = scriptedContext(fakeHost(enabled), [{}, grown], { settings });
    await collectSchedExtStats(ctx, undefined, call);
    ctx.pass(5000, next);
    const { data, window_ms, warnings } = await collectSchedExtStats(ctx, undefined, call);
    expect(window_ms).toBe(500);
    expect(data.deltas).toEqual({ SCX_EV_DISPATCH_KEEP_LAST: 5 });
    expect(warnings).toEqual([]);
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
