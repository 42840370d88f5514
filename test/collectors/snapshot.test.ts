import { describe, expect, test } from 'vitest';
import { collectSnapshot } from '../../src/collectors/snapshot.ts';
import { collectSnapshotSeries } from '../../src/collectors/snapshot-series.ts';
import type { Call } from '../../src/context.ts';
import { hostAt, overOneSecond } from '../fake-activity.ts';
import { call, fakeHost, type HostFilesNow, procStat, scriptedContext } from '../fake-host.ts';

const all = { include_per_cpu: true, include_per_device: true, include_psi: true };

const read = (
  [before, after]: readonly [HostFilesNow, HostFilesNow] = overOneSecond(),
  options = all,
) => collectSnapshot(scriptedContext(fakeHost(before), [after]), options, call);

describe('a snapshot', () => {
  test('does not call a host silent whose TCP counters are closed', async () => {
    const closed = { 'proc/net/snmp': null };
    const { summary } = await read(overOneSecond(closed));
    expect(summary.join('\n')).toContain('TCP unknown');
  });

  test('has shares of the second measured, never since boot', async () => {
    const since_boot = {
      'proc/stat': procStat({ 0: '100020 0 10 900070 0 0 0 0 0 0', 1: '5 0 5 80 5 0 5 0 0 0' }),
    };
    const later = {
      'proc/stat': procStat({
        0: '100040 0 20 900140 0 0 0 0 0 0',
        1: '10 0 10 160 10 0 10 0 0 0',
      }),
    };
    const { data, window_ms } = await read(overOneSecond(since_boot, later));
    expect(window_ms).toBe(1000);
    expect(data.cpu.utilization).toMatchObject({ user: 12.5, system: 7.5, idle: 75, iowait: 2.5 });
    expect(data.cpu.busy).toBe(22.5);
  });

  test('has the documented figures of CPU and memory', async () => {
    const { data } = await read();
    expect(data.cpu).toMatchObject({
      load_avg: [1.5, 0.75, 0.25],
      run_queue: 2,
      context_switches: 5000,
      context_switches_per_s: 5000,
      interrupts: 600,
      procs_blocked: 1,
    });
    expect(data.memory).toMatchObject({
      total_bytes: 8_192_000,
      available_bytes: 6_144_000,
      used_bytes: 2_048_000,
      used_percent: 25,
      page_faults: 2000,
      major_faults: 20,
      oom_kills: 0,
      direct_scan_pages: 7,
    });
  });

  test('has each CPU where it is asked for, the busiest first', async () => {
    const { data } = await read();
    expect('per_cpu' in data.cpu && data.cpu.per_cpu).toMatchObject([
      { cpu: 0, busy: 30, user: 20 },
      { cpu: 1, busy: 15, iowait: 5 },
    ]);
    const without = await read(undefined, { ...all, include_per_cpu: false });
    expect(without.data.cpu).not.toHaveProperty('per_cpu');
  });

  test('has whole disks without partitions and unused loops; the total counts none twice', async () => {
    const { data } = await read();
    expect(data.io.devices?.map(({ name, kind }) => [name, kind])).toEqual([
      ['sda', 'disk'],
      ['dm-0', 'dm'],
    ]);
    expect(data.io.devices?.[0]).toEqual({
      name: 'sda',
      kind: 'disk',
      reads_per_sec: 100,
      writes_per_sec: 50,
      read_bytes_per_sec: 409_600,
      write_bytes_per_sec: 819_200,
      avg_queue_size: 1.5,
      utilization: 25,
      avg_wait_ms: 7.33,
    });
    expect(data.io.total).toMatchObject({ reads_per_sec: 100, writes_per_sec: 50 });
    const without = await read(undefined, { ...all, include_per_device: false });
    expect(without.data.io.devices).toEqual([]);
    expect(without.data.io.total).toMatchObject({ reads_per_sec: 100 });
  });

  test('has interfaces whatever their names, loopback too', async () => {
    const { data } = await read();
    expect(data.network.interfaces?.map(({ name }) => name)).toEqual(['eth0', 'br-5f.100', 'lo']);
    expect(data.network.interfaces?.[0]).toMatchObject({
      rx_bytes: 6000,
      tx_bytes: 2000,
      rx_packets: 60,
      rx_errors: 0,
      rx_dropped: 0,
      errors_total: 1,
      dropped_total: 4,
      rx_bytes_per_s: 6000,
    });
    expect(data.network.tcp).toMatchObject({
      active_connections: 2,
      passive_connections: 3,
      retransmits: 4,
      in_segs: 900,
      out_segs: 1000,
      retransmit_pct: 0.4,
      established: 12,
    });
  });

  test('has pressure: averages of the kernel, and the share of our own second', async () => {
    const { data, unavailable } = await read();
    expect(data).toMatchObject({
      pressure: {
        cpu: { some_avg10: 1, some_avg60: 2, some_avg300: 3, some_total: 100_000, some_window: 5 },
        io: { some_avg10: 9, some_window: 2, full_window: 1 },
      },
    });
    // Of the whole host the kernel writes zero there, which is no measurement.
    expect(data).toMatchObject({ pressure: { cpu: { full_avg10: null, full_total: null } } });
    expect(unavailable?.map(({ what }) => what)).toContain('pressure.cpu.full_*');
    const without = await read(undefined, { ...all, include_psi: false });
    expect(without.data).not.toHaveProperty('pressure');
    expect(without.unavailable?.map(({ what }) => what).join()).not.toContain('pressure');
  });
});

describe('a file that is closed', () => {
  const gone: [string, (data: Awaited<ReturnType<typeof read>>['data']) => unknown][] = [
    ['proc/loadavg', ({ cpu }) => [cpu.load_avg, cpu.run_queue]],
    ['proc/meminfo', ({ memory }) => [memory.total_bytes, memory.used_percent]],
    ['proc/vmstat', ({ memory }) => [memory.page_faults, memory.oom_kills]],
    ['proc/diskstats', ({ io }) => [io.devices, io.total]],
    ['proc/net/dev', ({ network }) => [network.interfaces, network.interfaces_total]],
    ['proc/net/snmp', ({ network: { tcp } }) => [tcp.retransmits, tcp.established]],
  ];

  test.each(gone)('%s makes its figures null, with the reason', async (path, figures) => {
    const { data, unavailable } = await read(overOneSecond({ [path]: null }));
    expect(figures(data)).toEqual([null, null]);
    expect(unavailable?.find(({ what }) => what === `/${path}`)?.reason).toContain('ENOENT');
  });

  test('leaves no pressure, and says how to switch it on', async () => {
    const none = {
      'proc/pressure/cpu': null,
      'proc/pressure/memory': null,
      'proc/pressure/io': null,
    };
    const { data, unavailable } = await read(overOneSecond(none));
    expect(data).toMatchObject({ pressure: null });
    expect(unavailable?.find(({ what }) => what === 'pressure')?.fix).toContain('psi=1');
  });
});

describe('a counter', () => {
  test('that started anew gives null, not a rate', async () => {
    const { data } = await read([hostAt(5), hostAt(2)]);
    expect(data.cpu.context_switches).toBeNull();
    expect(data.network.interfaces?.find(({ name }) => name === 'eth0')?.rx_bytes).toBeNull();
  });

  test('of a device that came during the window gives null', async () => {
    const before = hostAt(1);
    const without = { ...before, 'proc/diskstats': '   8       0 sdz 0 0 0 0 0 0 0 0 0 0 0\n' };
    const { data, unavailable } = await read([without, hostAt(2)]);
    const sda = data.io.devices?.find(({ name }) => name === 'sda');
    expect(sda).toMatchObject({ reads_per_sec: null, utilization: null, avg_wait_ms: null });
    const why = unavailable?.find(({ what }) => what === 'figures of devices')?.reason;
    expect(why).toBe('sda, dm-0 came during the window, or began to count anew.');
    expect(unavailable?.find(({ what }) => what === 'avg_wait_ms')).toBeUndefined();
  });
});

test('a host with 512 CPUs, 3000 disks and 5000 interfaces fits into the answer', async () => {
  const cpus = (n: number) =>
    procStat(
      Object.fromEntries(
        Array.from({ length: 512 }, (_, cpu) => [cpu, `${n * cpu} 0 ${n} ${n * 900} 0 0 0 0 0 0`]),
      ),
    );
  const disks = (n: number) =>
    Array.from(
      { length: 3000 },
      (_, at) => ` 65 ${at} sd${at}x ${n} 0 ${n} 0 0 0 0 0 0 ${n} ${n}\n`,
    ).join('');
  const links = (n: number) =>
    `${hostAt(n)['proc/net/dev']}${Array.from({ length: 5000 }, (_, at) => ` veth${at}: ${n * at} 5 0 0 ${n * at} 5 0 0\n`).join('')}`;
  const big = (n: number) => ({
    'proc/stat': cpus(n),
    'proc/diskstats': disks(n),
    'proc/net/dev': links(n),
  });
  const reading = await read(overOneSecond(big(1), big(2)));
  expect(JSON.stringify(reading).length / 4).toBeLessThan(9000);
  expect(reading).toMatchObject({ truncated: true });
  expect(reading.data.io.devices_total).toBe(3000);
  expect(reading.data.network.interfaces_total).toBe(5003);
  expect(reading.next).toMatch(/perf_io_latency.*perf_net_health.*stats:\/\/aggregated\/cpu/);
});

describe('a series', () => {
  /** Each sample takes ten looks at the run queue: the files change at the last of them. */
  const moments = (count: number, at: (n: number) => HostFilesNow): HostFilesNow[] =>
    Array.from({ length: count }, (_, sample) => [
      ...Array<HostFilesNow>(9).fill({}),
      at(sample + 2),
    ]).flat();
  const series = (count: number, at = hostAt, observed: Call = call) =>
    collectSnapshotSeries(
      scriptedContext(fakeHost(at(1)), moments(count, at)),
      { ...all, interval_sec: 1, count },
      observed,
    );

  test('has a sample for each interval, the end of one being the start of the next', async () => {
    const { data } = await series(3);
    expect(data).toMatchObject({ mode: 'interval', interval_sec: 1 });
    expect(data.samples.map(({ sample_index }) => sample_index)).toEqual([0, 1, 2]);
    for (const { data: sample } of data.samples) {
      expect(sample).toMatchObject({ cpu: { context_switches: 5000 } });
    }
    expect(data.summary).toMatchObject({
      total_samples: 3,
      duration_seconds: 3,
      cpu_avg_utilization: 22.5,
      memory_avg_used_percent: 25,
    });
  });

  test('has the windows that there were, not those that were asked for', async () => {
    const late = scriptedContext(fakeHost(hostAt(1)));
    const sleep: typeof late.sleep = async (ms, signal) => {
      await late.sleep(ms, signal);
      late.pass(500);
    };
    const params = { ...all, interval_sec: 1, count: 2 };
    const { data, window_ms } = await collectSnapshotSeries({ ...late, sleep }, params, call);
    expect(window_ms).toBe(1200);
    expect(data.samples.map((each) => each.window_ms)).toEqual([1200, 1200]);
  });

  test('counts what a bond carries once, on the devices that carry it', async () => {
    const head =
      'Inter-|   Receive                |  Transmit\n face |bytes packets errs drop|bytes packets errs drop\n';
    const bonded = (n: number): HostFilesNow =>
      hostAt(n, {
        'proc/net/dev': `${head} eth0: ${n * 1000} 1 0 0 0 0 0 0\n eth1: ${n * 500} 1 0 0 0 0 0 0\n bond0: ${n * 1500} 2 0 0 0 0 0 0\n`,
        'sys/class/net/bond0/lower_eth0/speed': '1\n',
      });
    const physical = (n: number): HostFilesNow => ({
      ...bonded(n),
      'sys/class/net/eth0/device/vendor': '1\n',
      'sys/class/net/eth1/device/vendor': '1\n',
    });
    const carried = async (at: typeof hostAt) =>
      (await series(1, at)).data.summary.figures['network_bytes_per_s'];
    expect(await carried(physical)).toMatchObject({ avg: 1500 });
    expect(await carried(bonded)).toMatchObject({ avg: 1500 });
  });

  test('says which sample was highest', async () => {
    const busy = (n: number): HostFilesNow =>
      n === 3 ? hostAt(n, { 'proc/stat': procStat({ 0: '200 0 30 140 0 0 0 0 0 0' }) }) : hostAt(n);
    const { data, summary } = await series(3, busy);
    expect(data.summary.figures['cpu_utilization']).toMatchObject({ max_at: 1 });
    expect(summary.join()).toContain('highest in sample 1');
  });

  test('tells of each sample while it runs', async () => {
    const said: string[] = [];
    await series(3, hostAt, { ...call, progress: (text) => said.push(text) });
    expect(said).toEqual(['sample 1 of 3', 'sample 2 of 3', 'sample 3 of 3']);
  });

  test('of sixty samples fits into the answer and says what it left out', async () => {
    const reading = await series(60);
    expect(JSON.stringify(reading).length).toBeLessThan(36_000);
    expect(reading.data.samples).toHaveLength(60);
    expect(reading).toMatchObject({ truncated: true });
    expect(reading.next).toContain('fewer samples');
  });

  test('ends at once when the caller cancels', async () => {
    const controller = new AbortController();
    const ctx = scriptedContext(fakeHost(hostAt(1)), [], {
      sleep: (_ms, signal) => {
        controller.abort();
        signal?.throwIfAborted();
        return Promise.resolve();
      },
    });
    const params = { ...all, interval_sec: 60, count: 60 };
    const canceled = { ...call, signal: controller.signal };
    await expect(collectSnapshotSeries(ctx, params, canceled)).rejects.toThrow(/abort/i);
  });
});
