import type { DiskStats } from '../../parsers/diskstats/diskstats.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { HostFiles } from '../procfs/host-files.ts';

/**
 * `dm` is the device mapper (LVM, crypt, multipath), `md` software RAID, `stacked` what else is built
 * on other devices (bcache), `path` one of several ways to an NVMe disk, which has the requests too.
 */
export type DiskKind =
  | 'disk'
  | 'partition'
  | 'dm'
  | 'md'
  | 'stacked'
  | 'path'
  | 'loop'
  | 'ram'
  | 'optical';

const virtualKinds: readonly (readonly [RegExp, DiskKind])[] = [
  [/^dm-\d+$/, 'dm'],
  [/^md\d+$|^md_/, 'md'],
  [/^loop\d+$/, 'loop'],
  [/^z?ram\d+$/, 'ram'],
  [/^sr\d+$/, 'optical'],
  [/^nvme\d+c\d+n\d+$/, 'path'],
];

/** Names of partitions, for a container that sees /proc/diskstats and no sysfs. */
const partitionName =
  /^(?:[shv]d|xvd)[a-z]+\d+$|^(?:nvme\d+n\d+|mmcblk\d+|nbd\d+|md\d+|loop\d+)p\d+$/;

export function diskKind(files: HostFiles, name: string): DiskKind {
  const folder = sysfsFolder(name);
  const isPartition = files.exists(folder)
    ? files.exists(`${folder}/partition`)
    : partitionName.test(name);
  if (isPartition) return 'partition';
  const known = virtualKinds.find(([pattern]) => pattern.test(name))?.[1];
  if (known) return known;
  return (files.list(`${folder}/slaves`) ?? []).length > 0 ? 'stacked' : 'disk';
}

/** Where requests end: neither built on other block devices, whose figures contain its own, nor RAM. */
export const isMedium = (kind: DiskKind): boolean => kind === 'disk' || kind === 'optical';

/** Why sums are without a disk. */
export const leftOutDisk = (name: string): string =>
  `${untrusted(name, 64)} came within the window, or its counters began anew: it is left out.`;

/** Whether anybody has used it since it came. A host has many loop and RAM devices that nobody did. */
export const everUsed = ({ reads, writes, discards }: DiskStats): boolean =>
  (reads ?? 0) + (writes ?? 0) + (discards ?? 0) > 0;

export type DiskFacts = Readonly<{
  /** The name that LVM or cryptsetup gave it. */
  mapper_name: string | null;
  /** What answers the requests. Null in a virtual machine, which is told nothing true about it. */
  medium: 'nvme' | 'ssd' | 'hdd' | null;
  size_bytes: number | null;
}>;

export function readDiskFacts(files: HostFiles, name: string, virtual: boolean): DiskFacts {
  const folder = sysfsFolder(name);
  const mapper = files.text(`${folder}/dm/name`);
  const sectors = files.number(`${folder}/size`);
  return {
    mapper_name: mapper === null ? null : untrusted(mapper),
    medium: virtual ? null : mediumOf(name, files.number(`${folder}/queue/rotational`)),
    size_bytes: sectors === null ? null : sectors * 512,
  };
}

function mediumOf(name: string, rotational: number | null): DiskFacts['medium'] {
  if (name.startsWith('nvme')) return 'nvme';
  if (rotational === null) return null;
  return rotational === 1 ? 'hdd' : 'ssd';
}

// A slash in a name (cciss/c0d0) is an exclamation mark in sysfs.
const sysfsFolder = (name: string): string => `/sys/class/block/${name.replaceAll('/', '!')}`;
