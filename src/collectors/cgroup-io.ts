import { parseBlkio } from '../../parsers/blkio/blkio.ts';
import { parseCgroupIo } from '../../parsers/cgroup-io/cgroup-io.ts';
import { parseDiskStats } from '../../parsers/diskstats/diskstats.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Unavailable } from '../reading.ts';
import type { CgroupPlace, CgroupPlaces } from './cgroup-places.ts';
import { growth, perSecond } from './rates.ts';

/** Bytes and requests since the cgroup was made. */
type IoCounts = Readonly<Record<'rbytes' | 'wbytes' | 'rios' | 'wios', number | null>>;

/** By "major:minor"; null where nothing is counted. */
export type CgroupIoCounters = ReadonlyMap<string, IoCounts> | null;

export function readCgroupIo(files: HostFiles, place: CgroupPlace | null): CgroupIoCounters {
  if (place === null) return null;
  return place.version === 2 ? readV2(files, place.folder) : readV1(files, place);
}

function readV2(files: HostFiles, folder: string): CgroupIoCounters {
  const text = files.text(`${folder}/io.stat`);
  if (text === null) return null;
  const { data } = parseCgroupIo(text);
  const rows = Object.entries(data).map(([device, counts]): [string, IoCounts] => [
    device,
    {
      rbytes: counts['rbytes'] ?? null,
      wbytes: counts['wbytes'] ?? null,
      rios: counts['rios'] ?? null,
      wios: counts['wios'] ?? null,
    },
  ]);
  return new Map(rows.filter(([, { rbytes }]) => rbytes !== null));
}

const v1Files = {
  bytes: 'blkio.throttle.io_service_bytes_recursive',
  requests: 'blkio.throttle.io_serviced_recursive',
};

/**
 * Since 6.9 the kernel counts a device of v1 only once somebody has set a limit on it: where the root
 * has no row of any device, a cgroup without rows says nothing.
 */
function readV1(files: HostFiles, { folder, mount_point }: CgroupPlace): CgroupIoCounters {
  const read = (from: string, name: string) => parseBlkio(files.text(`${from}/${name}`) ?? '').data;
  if (Object.keys(read(mount_point, v1Files.bytes)).length === 0) return null;
  const bytes = read(folder, v1Files.bytes);
  const requests = read(folder, v1Files.requests);
  return new Map(
    Object.entries(bytes).map(([device, counts]) => [
      device,
      {
        rbytes: counts['Read'] ?? null,
        wbytes: counts['Write'] ?? null,
        rios: requests[device]?.['Read'] ?? null,
        wios: requests[device]?.['Write'] ?? null,
      },
    ]),
  );
}

const unused: IoCounts = { rbytes: 0, wbytes: 0, rios: 0, wios: 0 };

/** What a cgroup read and wrote: in all, and per second of the window. */
export function ioBetween(
  files: HostFiles,
  before: CgroupIoCounters,
  after: CgroupIoCounters,
  window_ms: number,
) {
  if (after === null) return null;
  const names = diskNames(files);
  return [...after]
    .map(([device, counts]) => {
      // A device that was not in the list had not been used.
      const earlier = before && (before.get(device) ?? unused);
      const rate = (name: keyof IoCounts): number | null =>
        perSecond(growth(earlier?.[name], counts[name]), window_ms);
      return {
        device,
        name: names.get(device) ?? null,
        ...counts,
        rbytes_per_s: rate('rbytes'),
        wbytes_per_s: rate('wbytes'),
        rios_per_s: rate('rios'),
        wios_per_s: rate('wios'),
      };
    })
    .sort(
      (a, b) =>
        (b.rbytes_per_s ?? 0) +
        (b.wbytes_per_s ?? 0) -
        (a.rbytes_per_s ?? 0) -
        (a.wbytes_per_s ?? 0),
    );
}

function diskNames(files: HostFiles): ReadonlyMap<string, string> {
  const { data } = parseDiskStats(files.text('/proc/diskstats') ?? '');
  return new Map(data.map(({ major, minor, name }) => [`${major}:${minor}`, name]));
}

export function noCgroupIo({ io: place, in_root }: CgroupPlaces): Unavailable {
  const what = 'io.devices';
  if (place === null) {
    const reason = in_root.includes('io')
      ? 'In the hierarchy of blkio the process is in the root, which counts no group apart.'
      : 'The cgroup is not in the hierarchy of io (blkio).';
    return { what, reason, fix: null };
  }
  if (place.version === 2) {
    const reason = 'No io.stat: the io controller is not switched on for this cgroup.';
    const parent = place.folder.slice(0, place.folder.lastIndexOf('/'));
    // Whoever makes a cgroup chooses its name: none with signs of a shell gets into a command.
    const plain = /^[\w./@:-]+$/.test(parent);
    const fix = plain ? `echo +io | sudo tee ${parent}/cgroup.subtree_control` : null;
    return { what, reason, fix };
  }
  const reason =
    'This kernel counts the I/O of v1 cgroups only on devices that have had a throttle limit.';
  return { what, reason, fix: 'Boot with systemd.unified_cgroup_hierarchy=1 for cgroup v2.' };
}
