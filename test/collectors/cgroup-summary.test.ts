import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { collectCgroupSummary } from '../../src/collectors/cgroup-summary.ts';
import { call, fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';
import { recordedTree } from '../recorded-tree.ts';

const recorded = 'fixtures/cgroup-trees/lab-throttled.k6.18';
const lab = {
  before: recordedTree(`${recorded}/before`),
  after: recordedTree(`${recorded}/after`),
};

type Choice = { pid?: number; cgroup_path?: string };
const read = (before: HostFilesNow, after: HostFilesNow, choice: Choice, seconds = 1) =>
  collectCgroupSummary(
    scriptedContext(fakeHost(before), [after]),
    { duration_seconds: seconds, ...choice },
    call,
  );

describe('a group of v2, as recorded', () => {
  const worker = (choice: Choice) => read(lab.before, lab.after, choice, 17);

  test('used half a CPU and was throttled in all but one period', async () => {
    const { data, window_ms, summary } = await worker({ cgroup_path: '/parent/worker' });
    expect(window_ms).toBe(17_000);
    expect(data.cgroup_path).toBe('/sys/fs/cgroup/parent/worker');
    expect(data.cpu).toMatchObject({
      usage_usec: 15_140_788,
      nr_periods: 304,
      nr_throttled: 301,
      throttled_usec: 17_151_711,
      limit_cores: 0.5,
      effective_limit_cores: 0.5,
      limited_by: '/sys/fs/cgroup/parent/worker',
      window: { usage_cores: 0.52, periods: 177, throttled_periods: 176, throttled_pct: 99.4 },
    });
    expect(data.issues[0]).toContain('Throttled in 99.4 % of 177 periods');
    expect(summary.join('\n')).toContain('throttled in 176 of 177 periods');
  });

  test('is held against the limit of the group around it', async () => {
    const { data } = await worker({ cgroup_path: '/parent/worker' });
    expect(data.memory).toMatchObject({
      current_bytes: 647_168,
      max_bytes: -1,
      effective_max_bytes: 104_857_600,
      high_bytes: 83_886_080,
      usage_percent: 0.6,
      oom_kills: 0,
    });
  });

  test('wrote 100 blocks of 64 KiB to a device with a name', async () => {
    const { data } = await worker({ cgroup_path: '/parent/worker' });
    expect(data.io.devices).toMatchObject([
      { device: '254:0', name: 'vda', wbytes: 32_768_000, wios: 500, wios_per_s: 5.9 },
    ]);
    expect(data.io.devices?.[0]?.wbytes_per_s).toBeCloseTo((100 * 65_536) / 17, -1);
  });

  test('has pressure: averages, and the share of our own window', async () => {
    const { data } = await worker({ cgroup_path: '/parent/worker' });
    expect(data.cpu.pressure?.some_avg10).toBeGreaterThan(0);
    expect(data.cpu.pressure).toHaveProperty('some_window');
    expect(data.pids).toEqual({ current: 1, max: -1 });
  });

  test.each([
    { cgroup_path: 'parent/worker' },
    { cgroup_path: '/sys/fs/cgroup/parent/worker/' },
    { pid: 196 },
  ])('is the same by %j', async (choice) => {
    const { data } = await worker(choice);
    expect(data.cgroup_path).toBe('/sys/fs/cgroup/parent/worker');
  });

  test('is found among the busiest where none is asked for', async () => {
    const { data, unavailable } = await worker({});
    expect(data.cgroup_path).toBe('/sys/fs/cgroup');
    expect(data.busiest?.[0]).toMatchObject({ path: '/parent', usage_cores: 0.526 });
    expect(data.busiest?.[1]).toMatchObject({ path: '/parent/worker', throttled_pct: 99.4 });
    // The root has no memory.current: null, and not nought.
    expect(data.memory.current_bytes).toBeNull();
    expect(unavailable?.find(({ what }) => what === 'memory')?.reason).toContain('root');
  });
});

test('a group that a limit around it slows down is told so, though it has none of its own', async () => {
  const at = (n: number): HostFilesNow => ({
    'proc/self/mountinfo': '37 28 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
    'sys/fs/cgroup/pod/cpu.max': '30000 100000\n',
    'sys/fs/cgroup/pod/cpu.stat': `usage_usec 1\nnr_periods ${n * 10}\nnr_throttled ${n * 9}\n`,
    'sys/fs/cgroup/pod/box/cpu.max': 'max 100000\n',
    'sys/fs/cgroup/pod/box/cpu.stat': `usage_usec ${n * 300_000}\nnr_periods 0\nnr_throttled 0\n`,
  });
  const { data } = await read(at(1), at(2), { cgroup_path: '/pod/box' });
  expect(data.cpu).toMatchObject({
    limit_cores: null,
    effective_limit_cores: 0.3,
    limited_by: '/sys/fs/cgroup/pod',
    window: { usage_of_limit_pct: 100, throttled_pct: null, limiter_throttled_pct: 90 },
  });
  expect(data.issues[0]).toContain('(/sys/fs/cgroup/pod) is throttled in 90 % of its periods');
});

describe('a group of v1', () => {
  const mountinfo =
    '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n' +
    '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n' +
    '38 31 0:35 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio\n' +
    '39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n' +
    '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n';
  const group = (n: number): HostFilesNow => ({
    'proc/self/mountinfo': mountinfo,
    'proc/diskstats': '   8       0 sda 1 0 1 1 1 0 1 1 0 1 1\n',
    'proc/77/cgroup': '4:memory:/app\n3:cpu,cpuacct:/app\n2:blkio:/app\n1:pids:/app\n0::/\n',
    'sys/fs/cgroup/cpu,cpuacct/app/cpu.stat': `nr_periods ${n * 10}\nnr_throttled ${n * 5}\nthrottled_time ${n * 250_000_000}\n`,
    'sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us': '20000\n',
    'sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us': '100000\n',
    'sys/fs/cgroup/cpu,cpuacct/app/cpuacct.usage': `${n * 200_000_000}\n`,
    'sys/fs/cgroup/cpu,cpuacct/app/cpuacct.usage_user': `${n * 150_000_000}\n`,
    'sys/fs/cgroup/cpu,cpuacct/app/cpuacct.usage_sys': `${n * 50_000_000}\n`,
    'sys/fs/cgroup/memory/app/memory.usage_in_bytes': '95000000\n',
    'sys/fs/cgroup/memory/app/memory.limit_in_bytes': '100000000\n',
    'sys/fs/cgroup/memory/app/memory.stat': `cache 1\nrss 1\nhierarchical_memory_limit 100000000\ntotal_cache 60000000\ntotal_rss 30000000\ntotal_pgmajfault ${n}\n`,
    'sys/fs/cgroup/memory/app/memory.failcnt': `${n * 3}\n`,
    'sys/fs/cgroup/memory/app/memory.oom_control': `oom_kill_disable 0\nunder_oom 0\noom_kill ${n}\n`,
    'sys/fs/cgroup/blkio/blkio.throttle.io_service_bytes_recursive': '8:0 Read 9\nTotal 9\n',
    'sys/fs/cgroup/blkio/app/blkio.throttle.io_service_bytes_recursive': `8:0 Read ${n * 4096}\n8:0 Write ${n * 8192}\nTotal 9\n`,
    'sys/fs/cgroup/blkio/app/blkio.throttle.io_serviced_recursive': `8:0 Read ${n}\n8:0 Write ${n * 2}\nTotal 9\n`,
    'sys/fs/cgroup/pids/app/pids.current': '95\n',
    'sys/fs/cgroup/pids/app/pids.max': '100\n',
    'sys/fs/cgroup/unified/cpu.pressure':
      'some avg10=99.00 avg60=99.00 avg300=99.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
  });
  const app = (choice: Choice = { cgroup_path: '/app' }, changes: HostFilesNow = {}) =>
    read({ ...group(1), ...changes }, { ...group(2), ...changes }, choice);

  test('has the figures of v2 in their units, with its limits', async () => {
    const { data } = await app();
    expect(data.cgroup_version).toBe(1);
    expect(data.cpu).toMatchObject({
      usage_usec: 400_000,
      user_usec: 300_000,
      system_usec: 100_000,
      nr_periods: 20,
      nr_throttled: 10,
      throttled_usec: 500_000,
      limit_cores: 0.2,
      window: { usage_cores: 0.2, throttled_pct: 50, throttled_ms: 250, usage_of_limit_pct: 100 },
    });
    expect(data.memory).toMatchObject({
      current_bytes: 95_000_000,
      max_bytes: 100_000_000,
      usage_percent: 95,
      anon_bytes: 30_000_000,
      file_bytes: 60_000_000,
      oom_kills: 2,
      window: { oom_kills: 1, limit_hits: 3, major_faults: 1 },
    });
    expect(data.io.devices).toEqual([
      {
        device: '8:0',
        name: 'sda',
        rbytes: 8192,
        wbytes: 16_384,
        rios: 2,
        wios: 4,
        rbytes_per_s: 4096,
        wbytes_per_s: 8192,
        rios_per_s: 1,
        wios_per_s: 2,
      },
    ]);
    expect(data.pids).toEqual({ current: 95, max: 100 });
  });

  test('says what stands out', async () => {
    const { data } = await app();
    const said = data.issues.join('\n');
    expect(said).toContain('Throttled in 50 % of 10 periods');
    expect(said).toContain('Memory at 95 % of its limit');
    expect(said).toContain('1 processes killed');
    expect(said).toContain('95 of at most 100 tasks');
  });

  test('has no pressure: that of the v2 root is of the whole host', async () => {
    const { data, unavailable } = await app({ pid: 77 });
    expect(data.cpu.pressure).toBeNull();
    expect(unavailable?.find(({ what }) => what === 'pressure')?.reason).toContain('v2 only');
  });

  test.each([
    '/sys/fs/cgroup/cpu,cpuacct/app',
    '/sys/fs/cgroup/memory/app',
    '/sys/fs/cgroup/cpu/app',
    'app',
  ])('is the same group by %s', async (cgroup_path) => {
    const { data } = await app({ cgroup_path });
    expect(data.memory.current_bytes).toBe(95_000_000);
    expect(data.cpu.nr_throttled).toBe(10);
  });

  test('without a limit says so: -1, and no share', async () => {
    const { data } = await app(undefined, {
      'sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/memory/app/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/memory/app/memory.stat': 'hierarchical_memory_limit 9223372036854771712\n',
    });
    expect(data.cpu).toMatchObject({ limit_cores: null, effective_limit_cores: null });
    expect(data.memory).toMatchObject({ max_bytes: -1, usage_percent: null, anon_bytes: null });
  });

  test('of which only the CPU time is told has no word on its memory', async () => {
    const cpu_only = mountinfo.split('\n').slice(0, 1).join('\n');
    const { summary } = await app(undefined, { 'proc/self/mountinfo': `${cpu_only}\n` });
    expect(summary.join('\n')).toContain('Memory not counted apart');
    expect(summary.join('\n')).not.toContain('no limit');
  });

  test('of which only the memory is told has no word on a limit of its CPUs', async () => {
    const memory_only = mountinfo.split('\n').slice(1, 2).join('\n');
    const { summary } = await app(undefined, { 'proc/self/mountinfo': `${memory_only}\n` });
    expect(summary[0]).toContain('CPU time not counted apart, CPU limit unknown.');
  });

  test('has no rates of I/O where it was not counted when the window began', async () => {
    const root = 'sys/fs/cgroup/blkio/blkio.throttle.io_service_bytes_recursive';
    const { data } = await read({ ...group(1), [root]: 'Total 0\n' }, group(2), {
      cgroup_path: '/app',
    });
    expect(data.io.devices).toMatchObject([{ rbytes: 8192, rbytes_per_s: null, wios_per_s: null }]);
  });

  test('has no I/O where the kernel counts none, which is not nought', async () => {
    const { data, unavailable } = await app(undefined, {
      'sys/fs/cgroup/blkio/blkio.throttle.io_service_bytes_recursive': 'Total 0\n',
    });
    expect(data.io.devices).toBeNull();
    expect(unavailable?.find(({ what }) => what === 'io.devices')?.reason).toContain('throttle');
  });

  test('of a process that is in the root of some hierarchies has nothing for those', async () => {
    const { data, unavailable } = await app(
      { pid: 77 },
      { 'proc/77/cgroup': '4:memory:/app\n3:cpu,cpuacct:/\n2:blkio:/\n1:pids:/\n0::/\n' },
    );
    expect(data.memory.current_bytes).toBe(95_000_000);
    expect(data.cpu).toMatchObject({ usage_usec: null, nr_throttled: null });
    expect(data.io.devices).toBeNull();
    expect(unavailable?.find(({ what }) => what === 'cpu')?.reason).toContain('is in the root');
  });

  test('of a container that sees its own group only is the mount itself', async () => {
    const inside = {
      'proc/self/mountinfo':
        '35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n',
      'proc/5/cgroup': '4:memory:/docker/abc\n',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '123\n',
    };
    const { data } = await read(inside, inside, { pid: 5 });
    expect(data.memory.current_bytes).toBe(123);
    const outside = { ...inside, 'proc/6/cgroup': '4:memory:/docker/other\n' };
    await expect(read(outside, outside, { pid: 6 })).rejects.toMatchObject({
      code: 'CGROUP_NOT_FOUND',
    });
  });
});

describe('a choice that leads nowhere', () => {
  test.each([
    [{ cgroup_path: '/nope' }, 'CGROUP_NOT_FOUND'],
    [{ cgroup_path: '/parent/../../..' }, 'NOT_ALLOWED'],
    [{ cgroup_path: '../../../etc' }, 'NOT_ALLOWED'],
    [{ cgroup_path: '/sys/fs/cgroup/../../kernel' }, 'NOT_ALLOWED'],
    [{ cgroup_path: '/parent/\u0000' }, 'NOT_ALLOWED'],
    [{ cgroup_path: '/parent/\n/x' }, 'NOT_ALLOWED'],
    [{ cgroup_path: '/etc/passwd' }, 'CGROUP_NOT_FOUND'],
    [{ cgroup_path: '/parent/worker/cpu.stat' }, 'CGROUP_NOT_FOUND'],
    [{ pid: 4242 }, 'PID_NOT_FOUND'],
    [{ pid: 196, cgroup_path: '/parent' }, 'INVALID_PARAMS'],
  ])('%j is %s', async (choice, code) => {
    await expect(read(lab.before, lab.after, choice)).rejects.toMatchObject({ code });
  });

  test('is a symbolic link, which no group is', async () => {
    const root = fakeHost(lab.before);
    const target = join(root, 'sys/kernel');
    mkdirSync(target, { recursive: true });
    symlinkSync(target, join(root, 'sys/fs/cgroup/parent/link'));
    const ctx = scriptedContext(root);
    const params = { duration_seconds: 1, cgroup_path: '/parent/link' };
    await expect(collectCgroupSummary(ctx, params, call)).rejects.toMatchObject({
      code: 'NOT_ALLOWED',
    });
  });

  test('is any on a host without cgroups', async () => {
    const bare = { 'proc/self/mountinfo': '22 27 0:21 / /proc rw - proc proc rw\n' };
    await expect(read(bare, bare, {})).rejects.toMatchObject({ code: 'FEATURE_UNAVAILABLE' });
  });
});

test('names that are no plain words stay text: in paths, and out of commands', async () => {
  const name = 'user@1000.service:x\\x2d $(reboot)';
  const files = {
    'proc/self/mountinfo': '37 28 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
    [`sys/fs/cgroup/${name}/sub/cpu.stat`]: 'usage_usec 1\n',
  };
  const { data, unavailable } = await read(files, files, { cgroup_path: `/${name}/sub` });
  expect(data.cgroup_path).toBe(`/sys/fs/cgroup/${name}/sub`);
  expect(unavailable?.find(({ what }) => what === 'io.devices')?.fix).toBeNull();
});

test('thousands of groups fit into the answer', async () => {
  const many = Object.fromEntries(
    Array.from({ length: 2500 }, (_, at) => [
      `sys/fs/cgroup/pod-${at}.slice/cpu.stat`,
      `usage_usec ${at}\n`,
    ]),
  );
  const files = {
    'proc/self/mountinfo': '37 28 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
    'sys/fs/cgroup/cpu.stat': 'usage_usec 1\n',
    ...many,
  };
  const reading = await read(files, {}, {});
  expect(JSON.stringify(reading).length).toBeLessThan(36_000);
  expect(reading.data.busiest).toHaveLength(10);
  expect(reading.warnings?.join()).toContain('2000');
});
