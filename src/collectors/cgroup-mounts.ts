import { type Mount, parseMountInfo } from '../../parsers/mountinfo/mountinfo.ts';
import { TracewrightError } from '../errors.ts';
import type { HostFiles } from '../procfs/host-files.ts';

/** What we read of a cgroup. v1 has the accounts of CPU time in a hierarchy of their own. */
export type CgroupController = 'cpu' | 'cpuacct' | 'memory' | 'io' | 'pids';

/** A mounted hierarchy. `root` is the cgroup that is mounted: "/" unless in a container. */
export type CgroupMount = Readonly<{
  version: 1 | 2;
  /** Of v1. The one hierarchy of v2 has what its cgroup.controllers says, and CPU times always. */
  controllers: readonly string[];
  mount_point: string;
  root: string;
}>;

/** @throws TracewrightError FEATURE_UNAVAILABLE where no cgroup file system can be reached. */
export function cgroupMounts(files: HostFiles): readonly CgroupMount[] {
  const { data: all } = parseMountInfo(files.text('/proc/self/mountinfo') ?? '');
  // What was mounted over a folder hides what was there before.
  const visible = new Map(all.map((mount) => [mount.mount_point, mount]));
  const mounts = [...visible.values()].filter(isCgroup).map(asCgroupMount);
  if (mounts.length > 0) return mounts;
  throw new TracewrightError(
    'FEATURE_UNAVAILABLE',
    'No cgroup file system is mounted below /sys.',
    'sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup',
  );
}

const isCgroup = ({ fs_type, mount_point }: Mount): boolean =>
  (fs_type === 'cgroup' || fs_type === 'cgroup2') && mount_point.startsWith('/sys/');

const asCgroupMount = ({ fs_type, mount_point, root, super_options }: Mount): CgroupMount => ({
  version: fs_type === 'cgroup2' ? 2 : 1,
  controllers: fs_type === 'cgroup2' ? [] : super_options,
  mount_point,
  root,
});

/** The hierarchy that a controller is in: of v1 where it is mounted there, else of v2. */
export function mountOf(
  mounts: readonly CgroupMount[],
  controller: CgroupController,
): CgroupMount | undefined {
  const name = controller === 'io' ? 'blkio' : controller;
  return (
    mounts.find(({ version, controllers }) => version === 1 && controllers.includes(name)) ??
    unifiedMount(mounts)
  );
}

export const unifiedMount = (mounts: readonly CgroupMount[]): CgroupMount | undefined =>
  mounts.find(({ version }) => version === 2);

/**
 * The folder of a cgroup by its path in the hierarchy, as /proc/PID/cgroup has it; null where it lies
 * outside of what is mounted.
 */
export function cgroupFolder({ mount_point, root }: CgroupMount, path: string): string | null {
  // Of a process outside of our cgroup namespace.
  if (path.split('/').includes('..')) return null;
  if (root === '/' || root.startsWith('/..')) return join(mount_point, path);
  if (path === root) return mount_point;
  return path.startsWith(`${root}/`) ? join(mount_point, path.slice(root.length)) : null;
}

const join = (folder: string, path: string): string =>
  path === '/' || path === '' ? folder : `${folder}${path}`;
