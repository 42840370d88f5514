import { describe, expect, test } from 'vitest';
import { diskKind } from '../../src/collectors/disk-devices.ts';
import { diskRow } from '../../src/collectors/disk-rates.ts';
import { collectIoLatency } from '../../src/collectors/io-latency.ts';
import { growth32 } from '../../src/collectors/rates.ts';
import { hostFiles } from '../../src/procfs/host-files.ts';
import { hostAt } from '../fake-activity.ts';
import { call, fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';

const context = (before: HostFilesNow = hostAt(1), after: HostFilesNow = hostAt(3)) =>
  scriptedContext(fakeHost(before), [after]);
const two = { duration_seconds: 2, mode: 'snapshot' } as const;

describe('a device over the window', () => {
  test('has waits by kind, queue, use and traffic', async () => {
    const { data, window_ms } = await collectIoLatency(context(), two, call);
    expect(window_ms).toBe(2000);
    expect(data).toMatchObject({ mode: 'snapshot', duration_seconds: 2 });
    expect(data.devices[0]).toMatchObject({
      name: 'sda',
      reads_per_sec: 100,
      read_wait_ms: 2,
      write_wait_ms: 18,
      avg_wait_ms: 7.33,
      avg_queue_size: 1.5,
      utilization: 25,
      avg_read_bytes: 4096,
      avg_write_bytes: 16_384,
      flushes_per_sec: 4,
      flush_wait_ms: 2,
      discards_per_sec: 0,
      discard_wait_ms: null,
      in_flight: 3,
      requests: 300,
      size_bytes: 512_000,
    });
    expect(data.stalled).toEqual({ some_pct: 2, full_pct: 1 });
  });

  test('stands apart from its partitions', async () => {
    const { data } = await collectIoLatency(context(), two, call);
    expect(data.devices.map(({ name }) => name)).toEqual(['sda', 'dm-0']);
    expect(data.partitions.map(({ name, kind }) => [name, kind])).toEqual([['sda1', 'partition']]);
    expect(data.devices[1]).toMatchObject({ kind: 'dm', mapper_name: 'vg-root' });
  });

  test.each(['sda', '/dev/sda', '8:0'])('is found as %s, and alone', async (device) => {
    const { data } = await collectIoLatency(context(), { ...two, device }, call);
    expect(data.devices.map(({ name }) => name)).toEqual(['sda']);
    expect(data.partitions).toEqual([]);
  });

  test.each(['/dev/mapper/vg-root', 'vg-root'])(
    'is found by its mapper name %s',
    async (device) => {
      const { data } = await collectIoLatency(context(), { ...two, device }, call);
      expect(data.devices.map(({ name }) => name)).toEqual(['dm-0']);
    },
  );

  test('is found though it is idle', async () => {
    const { data } = await collectIoLatency(context(), { ...two, device: 'loop0' }, call);
    expect(data.devices).toMatchObject([{ name: 'loop0', utilization: 0, avg_wait_ms: null }]);
  });

  test.each(['sd', 'sdaa', '../../etc', ''])(
    'is not found by another name: "%s"',
    async (device) => {
      const ctx = context();
      await expect(collectIoLatency(ctx, { ...two, device }, call)).rejects.toMatchObject({
        code: 'DEVICE_NOT_FOUND',
        suggestion: expect.stringContaining('sda'),
      });
      // A wrong name is told at once, not after the window.
      expect(ctx.waits).toEqual([]);
    },
  );

  test('without a request has no wait, which is said', async () => {
    const { data, unavailable } = await collectIoLatency(context(hostAt(1), hostAt(1)), two, call);
    expect(data.devices[0]).toMatchObject({ reads_per_sec: 0, avg_wait_ms: null });
    expect(unavailable?.find(({ what }) => what === 'avg_wait_ms')?.reason).toContain('sda');
  });
});

test('a trace is not made by a read-only server, which gives the counters alone', async () => {
  const settings = { daemon: false, readOnly: true };
  const ctx = scriptedContext(fakeHost(hostAt(1)), [hostAt(3)], { settings });
  const { data, unavailable } = await collectIoLatency(ctx, { ...two, mode: 'trace' }, call);
  expect(data).toMatchObject({ mode: 'trace', latency_histogram: null, latency: null });
  expect(data.devices[0]).toMatchObject({ name: 'sda', avg_wait_ms: 7.33 });
  expect(unavailable?.find(({ what }) => what.startsWith('latency_histogram'))?.reason).toContain(
    'read-only',
  );
});

describe('notes', () => {
  const line = (n: number, wait: number, busy: number, queue: number) =>
    `   8       0 sda ${n * 100} 0 0 ${n * wait} 0 0 0 0 0 ${n * busy} ${n * queue}\n`;
  const notes = async (wait: number, busy: number, queue: number, files: HostFilesNow = {}) => {
    const at = (n: number) => hostAt(n, { 'proc/diskstats': line(n, wait, busy, queue), ...files });
    const { data } = await collectIoLatency(
      context(at(1), at(2)),
      { ...two, duration_seconds: 1 },
      call,
    );
    return data.notes.join('\n');
  };

  test('name what is busy, slow and queued', async () => {
    const said = await notes(6000, 950, 9000, { 'sys/class/block/sda/queue/rotational': '1\n' });
    expect(said).toContain('busy 95 % of the time');
    expect(said).toContain('60 ms on average: a good hdd needs less than 10 ms');
    expect(said).toContain('9 requests under way');
  });

  test('judge a wait by what the device is', async () => {
    expect(await notes(1200, 300, 300, { 'sys/class/block/sda/queue/rotational': '1\n' })).toBe('');
    expect(
      await notes(1600, 300, 300, { 'sys/class/block/sda/queue/rotational': '0\n' }),
    ).toContain('good ssd');
  });

  test('do not judge by what a virtual machine says of its disk', async () => {
    const virtual = {
      'proc/cpuinfo': 'flags\t: fpu hypervisor \n',
      'sys/class/block/sda/queue/rotational': '1\n',
    };
    expect(await notes(1200, 300, 300, virtual)).toBe('');
    expect(await notes(2500, 300, 300, virtual)).toContain('25 ms on average');
  });
});

test('thousands of disks fit into the answer', async () => {
  const many = (n: number) =>
    Array.from(
      { length: 4000 },
      (_, at) => ` 65 ${at} sd${at}x ${n} 0 ${n} 0 0 0 0 0 0 ${n} ${n}\n`,
    );
  const at = (n: number) => hostAt(n, { 'proc/diskstats': many(n).join('') });
  const reading = await collectIoLatency(context(at(1), at(2)), two, call);
  expect(JSON.stringify(reading).length).toBeLessThan(36_000);
  expect(reading).toMatchObject({ truncated: true, total: 4000 });
});

describe('the kind of a device', () => {
  test.each([
    ['sda', 'disk'],
    ['sda1', 'partition'],
    ['nvme0n1', 'disk'],
    ['nvme0n1p2', 'partition'],
    ['mmcblk0p1', 'partition'],
    ['vdb', 'disk'],
    ['dm-3', 'dm'],
    ['md127', 'md'],
    ['md127p1', 'partition'],
    ['loop0', 'loop'],
    ['zram0', 'ram'],
    ['sr0', 'optical'],
    ['nbd0', 'disk'],
    ['nvme1c3n2', 'path'],
  ])('%s without sysfs is %s', (name, kind) => {
    expect(diskKind(hostFiles(fakeHost({ 'proc/diskstats': '' })), name)).toBe(kind);
  });

  test('is what sysfs says where it is there', () => {
    const files = hostFiles(
      fakeHost({ 'sys/class/block/odd7/size': '1', 'sys/class/block/odd7/partition': '7' }),
    );
    expect(diskKind(files, 'odd7')).toBe('partition');
  });
});

test('a mean wait needs the times of all the requests that it is the mean of', () => {
  const column = { in_flight: 0, reads_merged: 0, sectors_read: 0, writes_merged: 0 };
  const others = { sectors_written: 0, busy_ms: 0, queue_ms: 0, discards: 0, discards_merged: 0 };
  const more = { sectors_discarded: 0, discard_ms: 0, flushes: 0, flush_ms: 0 };
  const rest = { major: 8, minor: 0, name: 'sda', ...column, ...others, ...more };
  const before = { ...rest, reads: 10, read_ms: 5000, writes: 10, write_ms: 50 };
  // Its milliseconds began anew.
  const after = { ...rest, reads: 20, read_ms: 100, writes: 20, write_ms: 100 };
  expect(diskRow(before, after, 'disk', 1000)).toMatchObject({
    read_wait_ms: null,
    write_wait_ms: 5,
    avg_wait_ms: null,
    requests: 20,
  });
});

test('milliseconds wrap at 32 bits; one that starts anew gives nothing', () => {
  expect(growth32(4_294_967_000, 704)).toBe(1000);
  expect(growth32(5000, 100)).toBeNull();
  expect(growth32(null, 100)).toBeNull();
});
