import { describe, expect, test } from 'vitest';
import { bioRungs } from '../../src/collectors/bio-rungs.ts';
import { watchDisks } from '../../src/collectors/io-layers.ts';
import { collectSnapshot } from '../../src/collectors/snapshot.ts';
import { hostAt } from '../fake-activity.ts';
import { call, fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';

/** Reads and the time they took; no writes. */
const disk = (name: string, reads: number, read_ms: number): string =>
  `   8       0 ${name} ${reads} 0 ${reads * 8} ${read_ms} 0 0 0 0 0 0 0\n`;
const diskstats = (...lines: readonly string[]): HostFilesNow => ({
  'proc/diskstats': lines.join(''),
});

const query = {
  duration_ms: 1000,
  device: null,
  queued: false,
  per_device: true,
  unit: 'us',
  step: 0,
} as const;

const fromProcfs = (before: HostFilesNow, after: HostFilesNow, device: string | null = null) => {
  const ctx = scriptedContext(fakeHost(before), [after]);
  const one = device === null ? null : { name: device, major: 8, minor: 0 };
  const rung = bioRungs(ctx, { ...query, device: one }).find(({ method }) => method === 'procfs');
  if (!rung) throw new Error('there is no such way');
  return rung.measure(call);
};

describe('times of requests from the sums of the kernel', () => {
  // It prints the milliseconds with 32 bits.
  test('go on where the sum of milliseconds has gone round', async () => {
    const { value } = await fromProcfs(
      diskstats(disk('sda', 10, 4_294_967_290)),
      diskstats(disk('sda', 20, 94)),
    );
    expect(value.all).toMatchObject({ count: 10, total_ns: 100e6 });
  });

  test('leave out a disk whose counters began anew, and say so', async () => {
    const { value, warnings } = await fromProcfs(
      diskstats(disk('sda', 10, 100), disk('sdb', 500, 900)),
      diskstats(disk('sda', 20, 200), disk('sdb', 3, 4)),
    );
    expect(value.devices.map(({ device }) => device)).toEqual(['sda']);
    expect(value.all).toMatchObject({ count: 10, total_ns: 100e6 });
    expect(warnings).toEqual([
      'sdb came within the window, or its counters began anew: it is left out.',
    ]);
  });

  test('are not known of a disk that was not there all the time', async () => {
    const gone = fromProcfs(diskstats(disk('sda', 10, 100)), diskstats(), 'sda');
    await expect(gone).rejects.toMatchObject({ code: 'EXECUTION_FAILED' });
  });
});

test('the traffic of all disks says which disk it is without', async () => {
  const ctx = scriptedContext(fakeHost(diskstats(disk('sda', 10, 100), disk('sdb', 500, 900))), [
    diskstats(disk('sda', 20, 200), disk('sdb', 3, 4)),
  ]);
  const { block, left_out } = await watchDisks(ctx, 1000, call);
  expect(block).toMatchObject({ reads: 10, read_bytes: 10 * 8 * 512 });
  expect(left_out).toEqual(['sdb']);
});

test('the total of all devices counts no request twice', async () => {
  const names = ['nvme0n1', 'nvme0c0n1', 'zram0', 'bcache0'];
  const moment = (n: number): HostFilesNow =>
    hostAt(n, {
      ...diskstats(...names.map((name) => disk(name, n * 100, n))),
      'sys/class/block/bcache0/slaves/nvme0n1/size': '1\n',
    });
  const ctx = scriptedContext(fakeHost(moment(1)), [moment(2)]);
  const options = { include_per_cpu: false, include_per_device: true, include_psi: false };
  const { data } = await collectSnapshot(ctx, options, call);
  expect(data.io.devices?.map(({ name, kind }) => [name, kind])).toEqual(
    expect.arrayContaining([
      ['nvme0n1', 'disk'],
      ['nvme0c0n1', 'path'],
      ['zram0', 'ram'],
      ['bcache0', 'stacked'],
    ]),
  );
  expect(data.io.total).toMatchObject({ reads_per_sec: 100 });
});
