import { type DiskStats, parseDiskStats } from '../../parsers/diskstats/diskstats.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { page } from '../page.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { windowMeter } from './counter-window.ts';
import { inWords } from './cpu-counters.ts';
import { type DiskFacts, diskKind, everUsed, readDiskFacts } from './disk-devices.ts';
import { type DiskRow, diskRow, earlierDisks } from './disk-rates.ts';
import { type StalledShares, stalledShares } from './host-activity.ts';
import { readPressure } from './host-pressure.ts';
import { diskNotes } from './io-notes.ts';
import { type RequestTrace, traceRequests } from './io-trace.ts';
import { virtualisationHint } from './machine-hints.ts';
import { requiredText } from './required-file.ts';
import { idleDevices } from './snapshot-data.ts';

export type IoDevice = DiskRow & DiskFacts;

export type IoLatency = Readonly<{
  mode: 'snapshot' | 'trace';
  duration_seconds: number;
  /** Whole devices, the busiest first; partitions apart. */
  devices: readonly IoDevice[];
  partitions: readonly IoDevice[];
  /** Share of the window in which tasks stood still for I/O. */
  stalled: StalledShares;
  notes: readonly string[];
}> &
  Partial<Omit<RequestTrace, 'unavailable'>>;

export type IoLatencyParams = Readonly<{
  duration_seconds: number;
  device?: string | undefined;
  mode: 'snapshot' | 'trace';
}>;

const rows_shown = 40;

const meter = windowMeter(({ files }) => {
  const { data, warnings } = parseDiskStats(requiredText(files, '/proc/diskstats'));
  return {
    disks: data,
    pressure: readPressure(files, 'io'),
    warnings: inWords('/proc/diskstats', warnings),
  };
});

/**
 * Waits, use and traffic of each block device over the window, from two reads of /proc/diskstats.
 *
 * @throws TracewrightError DEVICE_NOT_FOUND, FEATURE_UNAVAILABLE
 */
export async function collectIoLatency(
  ctx: Context,
  { duration_seconds, device, mode }: IoLatencyParams,
  call: Call,
): Promise<Reading<IoLatency>> {
  const { files } = ctx;
  // Before the wait: a name that is wrong now is wrong in thirty seconds too.
  const wanted = device === undefined ? null : findDisk(files, device);
  call.progress(`measuring the disks for ${duration_seconds} s`);
  const [{ before, after, window_ms }, trace] = await Promise.all([
    meter.measure(ctx, duration_seconds * 1000, call),
    mode === 'trace' ? traceRequests(ctx, { duration_seconds, device: wanted }, call) : null,
  ]);
  const { unavailable: untraced = [], ...traced } = trace ?? {};
  const rows = rowsBetween(files, before.disks, after.disks, window_ms, wanted);
  const devices = rows.filter(({ kind }) => kind !== 'partition');
  const partitions = rows.filter(({ kind }) => kind === 'partition');
  const shown = page(devices, { limit: rows_shown, offset: 0 }, 22_000);
  const shownPartitions = page(partitions, { limit: rows_shown, offset: 0 }, 8000);
  const cut = shown.next_offset !== null || shownPartitions.next_offset !== null;
  const notes = diskNotes(rows);
  return {
    data: {
      mode,
      duration_seconds,
      devices: shown.rows,
      partitions: shownPartitions.rows,
      stalled: stalledShares(before.pressure, after.pressure, window_ms),
      ...traced,
      notes,
    },
    source: ['/proc/diskstats, /sys/class/block, /proc/pressure/io', ...methodOf(traced)].join(
      ', ',
    ),
    window_ms,
    ...(cut
      ? { truncated: true, total: rows.length, next: 'perf_io_latency with device=NAME' }
      : {}),
    warnings: after.warnings,
    unavailable: [...idleDevices(shown.rows), ...noPressureOfIo(after.pressure), ...untraced],
    summary: summary(devices, notes),
  };
}

const methodOf = ({ trace_method }: Partial<RequestTrace>): string[] =>
  trace_method ? [trace_method] : [];

function noPressureOfIo(pressure: object | null): Unavailable[] {
  const reason = '/proc/pressure/io cannot be read.';
  return pressure === null ? [{ what: 'stalled', reason, fix: null }] : [];
}

function rowsBetween(
  files: HostFiles,
  before: readonly DiskStats[],
  after: readonly DiskStats[],
  window_ms: number,
  wanted: string | null,
): readonly IoDevice[] {
  const earlier = earlierDisks(before);
  const virtual = virtualisationHint(files) !== null;
  return after
    .map((disk) => ({ disk, kind: diskKind(files, disk.name) }))
    .filter(({ disk, kind }) =>
      wanted === null
        ? (kind !== 'loop' && kind !== 'ram') || everUsed(disk)
        : disk.name === wanted,
    )
    .map(({ disk, kind }) => ({
      ...diskRow(earlier.get(disk.name), disk, kind, window_ms),
      ...readDiskFacts(files, disk.name, virtual),
    }))
    .sort((a, b) => (b.utilization ?? -1) - (a.utilization ?? -1) || work(b) - work(a));
}

const work = (row: DiskRow): number => (row.requests ?? 0) + (row.discards_per_sec ?? 0);

/** The kernel's name of a device that was given as sda, /dev/sda, 8:0 or by its mapper name. */
function findDisk(files: HostFiles, asked: string): string {
  const { data } = parseDiskStats(requiredText(files, '/proc/diskstats'));
  const name = asked.replace(/^\/dev\/(?:mapper\/)?/, '');
  const found =
    data.find((disk) => disk.name === name) ??
    data.find(({ major, minor }) => `${major}:${minor}` === name) ??
    data.find((disk) => mapperName(files, disk.name) === name);
  if (found) return found.name;
  const names = data.filter(everUsed).map((disk) => disk.name);
  throw new TracewrightError(
    'DEVICE_NOT_FOUND',
    `There is no block device "${asked.slice(0, 80)}".`,
    `Choose from: ${names.slice(0, 40).join(', ')}.`,
  );
}

const mapperName = (files: HostFiles, name: string): string | null =>
  name.startsWith('dm-') ? readDiskFacts(files, name, true).mapper_name : null;

function summary(devices: readonly IoDevice[], notes: readonly string[]): string[] {
  const used = devices.filter(({ requests }) => (requests ?? 0) > 0).slice(0, 3);
  if (used.length === 0) {
    return devices.some(({ requests }) => requests === null)
      ? ['What the disks did is not known: see unavailable.']
      : ['No disk was asked for anything during the window.'];
  }
  return [
    ...used.map(
      (row) =>
        `${row.name}: busy ${row.utilization} %, ${row.reads_per_sec} reads/s at ` +
        `${row.read_wait_ms ?? '-'} ms, ${row.writes_per_sec} writes/s at ` +
        `${row.write_wait_ms ?? '-'} ms, ${row.avg_queue_size} under way.`,
    ),
    ...notes.slice(0, 3),
  ];
}
