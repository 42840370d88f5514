import { describe, expect, test } from 'vitest';
import { collectSystemCpu } from '../../src/collectors/system-cpu.ts';
import { collectSystemMemory } from '../../src/collectors/system-memory.ts';
import { collectSystemNetwork } from '../../src/collectors/system-network.ts';
import { call, fakeHost, type HostFilesNow, procStat, scriptedContext } from '../fake-host.ts';

const overTwoSeconds = { window_ms: 2000 };
const page = { limit: 50, offset: 0, ...overTwoSeconds };

describe('CPU of the system', () => {
  const counters = (n: number): string =>
    `intr ${n * 600} 1 2 3\nctxt ${n * 5000}\nprocesses ${n * 30}\nprocs_running 3\n` +
    `procs_blocked 1\nsoftirq ${n * 800} 1 2\n`;
  const moment = (n: number): HostFilesNow => ({
    'proc/stat': procStat(
      {
        0: `${n * 100} 0 0 ${n * 100} 0 0 0 0 0 0`,
        1: `0 0 ${n * 50} ${n * 100} ${n * 50} 0 0 0 0 0`,
      },
      counters(n),
    ),
    'proc/loadavg': '1.50 0.75 0.25 3/400 999\n',
    'proc/interrupts': `        CPU0  CPU1\n 9:  ${n * 100}  ${n * 300}  PCI-MSI  nic0\nLOC:  ${n * 50} ${n * 50}  Local timer\nMIS: 0\n`,
    'proc/softirqs': `   CPU0 CPU1\n  NET_RX: ${n * 400} 0\n  RCU: 0 ${n * 500}\n  HI: 0 0\n`,
    'proc/pressure/cpu': 'some avg10=12.50 avg60=6.00 avg300=1.00 total=5\n',
  });
  const read = (files = moment(1)) =>
    collectSystemCpu(scriptedContext(fakeHost(files), [moment(2)]), overTwoSeconds, call);

  test('is the ticks of the window, iowait not among the active ones', async () => {
    const { data, window_ms } = await read();
    expect(window_ms).toBe(2000);
    expect(data).toMatchObject({
      cpus_online: 2,
      active_util: 150,
      total_util: 400,
      util_pct: 37.5,
      user_pct: 25,
      system_pct: 12.5,
      iowait_pct: 12.5,
      idle_pct: 50,
    });
  });

  test('has events per second with their busiest sources, load and pressure', async () => {
    const { data } = await read();
    expect(data).toMatchObject({
      context_switches_per_s: 2500,
      forks_per_s: 15,
      interrupts_per_s: 300,
      softirqs_per_s: 400,
      procs_running: 3,
      procs_blocked: 1,
      load: { one: 1.5, five: 0.75, fifteen: 0.25, runnable: 3, total: 400 },
      top_interrupts: [
        { id: '9', description: 'PCI-MSI nic0', per_s: 200, busiest_cpu: 1, busiest_cpu_pct: 75 },
        { id: 'LOC', description: 'Local timer', per_s: 50, busiest_cpu: 0, busiest_cpu_pct: 50 },
      ],
      top_softirqs: [
        { name: 'RCU', per_s: 250 },
        { name: 'NET_RX', per_s: 200 },
      ],
    });
    expect(data.pressure?.cpu?.some?.avg10_pct).toBe(12.5);
  });

  test('says what the kernel hides instead of giving numbers for it', async () => {
    const files = { ...moment(1), 'proc/interrupts': null, 'proc/pressure/cpu': null };
    const { 'proc/stat': stat = null, 'proc/softirqs': softirqs = null } = moment(2);
    const later = { 'proc/stat': stat, 'proc/softirqs': softirqs };
    const ctx = scriptedContext(fakeHost(files), [later]);
    const { data, unavailable } = await collectSystemCpu(ctx, overTwoSeconds, call);
    expect(data).toMatchObject({ pressure: null, top_interrupts: null });
    expect(unavailable?.map(({ what }) => what)).toEqual(['pressure', 'top_interrupts']);
  });
});

describe('memory of the system', () => {
  const meminfo =
    'MemTotal: 8000 kB\nMemFree: 1000 kB\nMemAvailable: 6000 kB\nBuffers: 10 kB\nCached: 5000 kB\n' +
    'SwapTotal: 4000 kB\nSwapFree: 3000 kB\nDirty: 7 kB\nHugePages_Total: 4\nHugePages_Free: 3\n' +
    'HugePages_Rsvd: 1\nHugepagesize: 2048 kB\n';
  const vmstat = (n: number): string =>
    `pgfault ${n * 2000}\npgmajfault ${n * 20}\npswpin ${n * 4}\npswpout ${n * 8}\n` +
    `pgpgin ${n * 100}\noom_kill ${n}\n`;
  const read = (files: HostFilesNow) =>
    collectSystemMemory(
      scriptedContext(fakeHost(files), [{ 'proc/vmstat': vmstat(2) }]),
      overTwoSeconds,
      call,
    );

  test('is in KiB where the name says kb and in bytes where it says bytes', async () => {
    const { data } = await read({ 'proc/meminfo': meminfo, 'proc/vmstat': vmstat(1) });
    expect(data).toMatchObject({
      total_kb: 8000,
      total_bytes: 8_192_000,
      available_kb: 6000,
      used_bytes: 2_048_000,
      swap_used_bytes: 1_024_000,
      free_ratio: 0.125,
      swap_ratio: 0.75,
      dirty_bytes: 7168,
      hugepages: { total: 4, free: 3, reserved: 1, size_bytes: 2_097_152 },
    });
  });

  test('has paging per second of the window', async () => {
    const { data } = await read({ 'proc/meminfo': meminfo, 'proc/vmstat': vmstat(1) });
    expect(data).toMatchObject({
      page_faults_per_s: 1000,
      major_faults_per_s: 10,
      swap_in_pages_per_s: 2,
      swap_out_pages_per_s: 4,
      disk_read_bytes_per_s: 51_200,
      oom_kills_in_window: 1,
      oom_kills_since_boot: 2,
    });
  });

  test('has no swap ratio without swap, and no number for a line that is missing', async () => {
    const text = meminfo.replace(/4000|3000/g, '0').replace(/MemAvailable.*\n/, '');
    const { data, unavailable } = await read({ 'proc/meminfo': text, 'proc/vmstat': vmstat(1) });
    expect(data).toMatchObject({ swap_ratio: null, available_kb: null, used_bytes: null });
    expect(data.swap_total_kb).toBe(0);
    const reasons = Object.fromEntries(unavailable?.map((each) => [each.what, each.reason]) ?? []);
    expect(reasons['swap_ratio']).toContain('no swap');
    expect(Object.keys(reasons).join()).toMatch(/available_kb.*used_bytes/);
  });
});

test('paging that nobody may read is not called unknown to the kernel', async () => {
  const files = { 'proc/meminfo': 'MemTotal: 1000 kB\nMemFree: 500 kB\n' };
  const { unavailable } = await collectSystemMemory(scriptedContext(fakeHost(files)), {}, call);
  const paging = unavailable?.find(({ what }) => what.includes('page_faults_per_s'));
  expect(paging?.reason).toBe('/proc/vmstat cannot be read.');
  const sizes = unavailable?.find(({ what }) => what.includes('available_kb'));
  expect(sizes?.reason).toContain('This kernel has no such line');
});

describe('network of the system', () => {
  const header =
    'Inter-|   Receive                |  Transmit\n' +
    ' face |bytes packets errs drop|bytes packets errs drop\n';
  const moment = (n: number, more = ''): HostFilesNow => ({
    'proc/net/dev':
      `${header}    lo: 10 1 0 0 10 1 0 0\n` +
      `  eth0: ${n * 6000} ${n * 60} 1 ${n * 4} ${n * 2000} ${n * 20} 0 0\n${more}`,
    'proc/net/snmp': `Tcp: MaxConn CurrEstab OutSegs RetransSegs\nTcp: -1 12 ${n * 950} ${n * 50}\n`,
  });

  test('has counters and rates of each interface, the busiest first', async () => {
    const ctx = scriptedContext(fakeHost(moment(1)), [moment(2)]);
    const { data } = await collectSystemNetwork(ctx, page, call);
    expect(data.interfaces.map(({ name }) => name)).toEqual(['eth0', 'lo']);
    expect(data.interfaces[0]).toMatchObject({
      recv_bytes: 12_000,
      recv_errs: 1,
      recv_drops: 8,
      recv_bytes_per_s: 3000,
      sent_bytes_per_s: 1000,
      recv_packets_per_s: 30,
      recv_drops_per_s: 2,
    });
    expect(data.total_recv_bytes).toBe(12_010);
    expect(data.tcp).toMatchObject({
      established: 12,
      retransmits_per_s: 25,
      retransmits_pct: 5,
      resets_sent_per_s: null,
    });
  });

  test('an interface that came during the window has no rates', async () => {
    const later = moment(2, ' veth1: 500 5 0 0 500 5 0 0\n');
    const ctx = scriptedContext(fakeHost(moment(1)), [later]);
    const { data, unavailable } = await collectSystemNetwork(ctx, page, call);
    const veth = data.interfaces.find(({ name }) => name === 'veth1');
    expect(veth).toMatchObject({ recv_bytes: 500, recv_bytes_per_s: null });
    expect(unavailable?.find(({ what }) => what === '*_per_s')?.reason).toMatch(/^veth1 came/);
  });

  test('thousands of interfaces fit into the answer, a page at a time', async () => {
    const rows = Array.from({ length: 5000 }, (_, at) => ` veth${at}: ${at} 5 0 0 ${at} 5 0 0\n`);
    const ctx = scriptedContext(fakeHost(moment(1, rows.join(''))));
    const reading = await collectSystemNetwork(ctx, page, call);
    expect(JSON.stringify(reading).length / 4).toBeLessThan(10_000);
    expect(reading).toMatchObject({ truncated: true, total: 5002 });
    expect(reading.data.total_interfaces).toBe(5002);
  });

  test('tells which network namespace it is, where it can', async () => {
    const { data, unavailable } = await collectSystemNetwork(
      scriptedContext(fakeHost(moment(1))),
      page,
      call,
    );
    expect(data.network_namespace).toEqual({ id: null, same_as_pid_1: null });
    expect(unavailable?.map(({ what }) => what).join()).toContain('network_namespace');
  });
});
