import { describe, expect, test } from 'vitest';
import { collectUseCheck } from '../../src/collectors/use-check.ts';
import { overOneSecond } from '../fake-activity.ts';
import { call, fakeHost, type HostFilesNow, procStat, scriptedContext } from '../fake-host.ts';

const check = ([before, after]: readonly [HostFilesNow, HostFilesNow] = overOneSecond()) =>
  collectUseCheck(scriptedContext(fakeHost(before), [after]), { duration_seconds: 1 }, call);

test('a healthy host is called healthy, with the window that says so', async () => {
  const { data, window_ms, summary } = await check();
  expect(window_ms).toBe(1000);
  expect(data.summary).toEqual({ status: 'healthy', top_suspicions: [] });
  expect(summary[0]).toBe('Healthy over 1000 ms: no figure is beyond its threshold.');
});

test('a host whose disks are hidden from us is not called healthy', async () => {
  const { data, summary, unavailable } = await check(overOneSecond({ 'proc/diskstats': null }));
  expect(data.summary.status).toBeNull();
  expect(summary[0]).toBe(
    'Over 1000 ms no figure is beyond its threshold, but disks could not be judged.',
  );
  expect(unavailable?.map(({ what }) => what)).toContain('/proc/diskstats');
});

test('faults of the time before the window are no errors now', async () => {
  const old = {
    'proc/vmstat': 'pgmajfault 4063\noom_kill 12\npswpin 9\npswpout 9\n',
    'proc/net/dev':
      'Inter-|   Receive                |  Transmit\n face |bytes packets errs drop|bytes packets errs drop\n  eth0: 6000 60 999 999 2000 20 999 999\n',
  };
  const { data } = await check(overOneSecond(old));
  expect(data.summary.status).toBe('healthy');
  expect(data.resources.memory.errors).toMatchObject({ count: 0, status: 'ok' });
  expect(data.resources.network.errors).toMatchObject({ measures: { link_errors_per_s: 0 } });
  expect(data.resources.network.saturation).toMatchObject({ measures: { drops_per_s: 0 } });
});

describe('what is provoked is found', () => {
  test('busy CPUs with tasks that wait', async () => {
    const load = { 'proc/loadavg': '9.00 4.00 2.00 8/400 999\n' };
    const before = procStat({ 0: '0 0 0 0 0 0 0 0 0 0', 1: '0 0 0 0 0 0 0 0 0 0' });
    const after = procStat({ 0: '95 0 5 0 0 0 0 0 0 0', 1: '90 0 5 5 0 0 0 0 0 0' });
    const { data, summary } = await check(
      overOneSecond({ ...load, 'proc/stat': before }, { ...load, 'proc/stat': after }),
    );
    expect(data.resources.cpu.utilization).toMatchObject({ value: 97.5, status: 'critical' });
    expect(data.resources.cpu.saturation).toMatchObject({ value: 7, status: 'critical' });
    expect(summary.at(-1)).toContain('perf_cpu_profile');
  });

  test('time that the hypervisor took is no use of our own', async () => {
    const before = procStat({ 0: '0 0 0 0 0 0 0 0 0 0' });
    const after = procStat({ 0: '30 0 0 10 0 0 0 60 0 0' });
    const { data } = await check(overOneSecond({ 'proc/stat': before }, { 'proc/stat': after }));
    expect(data.resources.cpu.utilization).toMatchObject({ value: 30, status: 'ok' });
    expect(data.resources.cpu.saturation).toMatchObject({ metric: 'steal_pct', value: 60 });
  });

  test('memory that runs out, and a kill', async () => {
    const scarce = {
      'proc/meminfo': 'MemTotal: 8000 kB\nMemAvailable: 400 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n',
    };
    const { data, unavailable } = await check(
      overOneSecond(scarce, { ...scarce, 'proc/vmstat': 'oom_kill 5\n' }),
    );
    expect(data.resources.memory.utilization).toMatchObject({ value: 95, status: 'critical' });
    expect(data.resources.memory.errors).toMatchObject({ count: 1, status: 'critical' });
    expect(unavailable?.find(({ what }) => what === 'memory.swap_used_pct')?.reason).toContain(
      'no swap',
    );
  });

  test('a disk that is busy with a long queue', async () => {
    const line = (n: number) =>
      `   8       0 sda ${n * 100} 0 0 ${n * 6000} 0 0 0 0 0 ${n * 990} ${n * 9500}\n`;
    const { data } = await check(
      overOneSecond({ 'proc/diskstats': line(1) }, { 'proc/diskstats': line(2) }),
    );
    expect(data.resources.disk.utilization).toMatchObject({ value: 99, status: 'critical' });
    expect(data.resources.disk.saturation.measures).toMatchObject({ queue: 9.5, wait_ms: 60 });
  });

  test('an interface that drops, a link that is full, segments sent again', async () => {
    const head =
      'Inter-|   Receive                |  Transmit\n face |bytes packets errs drop|bytes packets errs drop\n';
    const moment = (n: number) => ({
      'sys/class/net/eth0/speed': '100\n',
      'proc/net/dev': `${head}  eth0: ${n * 12_000_000} ${n * 9000} ${n * 3} ${n * 200} 0 0 0 0\n`,
      'proc/net/snmp': `Tcp: InSegs OutSegs RetransSegs\nTcp: 0 ${n * 1000} ${n * 60}\n`,
    });
    const { data } = await check(overOneSecond(moment(1), moment(2)));
    expect(data.resources.network).toMatchObject({
      utilization: { value: 96, status: 'critical' },
      saturation: { metric: 'drops_per_s', value: 200, status: 'critical' },
      errors: { count: 63, status: 'critical' },
    });
  });

  test('machine checks and thermal events of the window', async () => {
    const rows = (n: number) => ({
      'proc/interrupts': `        CPU0  CPU1\nMCE:  1 ${n}  Machine check exceptions\nTRM: 0 0 Thermal event interrupts\n`,
    });
    const { data } = await check(overOneSecond(rows(1), rows(3)));
    expect(data.resources.cpu.errors).toMatchObject({ count: 2, status: 'warning' });
  });

  test('errors that a file system has recorded', async () => {
    const { data } = await check(overOneSecond({ 'sys/fs/ext4/sda1/errors_count': '3\n' }));
    expect(data.resources.disk.errors).toMatchObject({ count: 3, status: 'warning' });
  });
});

describe('what is closed is null, with its reason', () => {
  test('and never ok', async () => {
    const closed = {
      'proc/diskstats': null,
      'proc/net/dev': null,
      'proc/net/snmp': null,
      'proc/pressure/io': null,
    };
    const { data, unavailable } = await check(overOneSecond(closed));
    expect(data.resources.disk.utilization).toMatchObject({ value: null, status: null });
    expect(data.resources.disk.saturation).toMatchObject({ value: null, status: null });
    expect(data.resources.network.errors).toMatchObject({ count: null, status: null });
    const said = unavailable?.map(({ what }) => what) ?? [];
    expect(said).toEqual(
      expect.arrayContaining(['/proc/diskstats', '/proc/net/dev', 'disk.errors', 'cpu.errors']),
    );
  });

  test('also the use of links that tell no speed', async () => {
    const { data, unavailable } = await check();
    expect(data.resources.network.utilization).toMatchObject({ value: null, status: null });
    expect(unavailable?.map(({ what }) => what)).toContain('network.utilization');
  });
});
