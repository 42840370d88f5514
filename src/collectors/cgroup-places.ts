import { parsePidCgroup } from '../../parsers/pid-cgroup/pid-cgroup.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import {
  type CgroupController,
  type CgroupMount,
  cgroupFolder,
  cgroupMounts,
  mountOf,
  unifiedMount,
} from './cgroup-mounts.ts';

export type CgroupPlace = Readonly<{
  version: 1 | 2;
  folder: string;
  mount_point: string;
  /** Below the mount point; "/" is its root. */
  path: string;
}>;

/** Where the files of one cgroup are. Null: it has no group of its own in that hierarchy. */
export type CgroupPlaces = Readonly<Record<CgroupController, CgroupPlace | null>> &
  Readonly<{
    /** Where the kernel keeps pressure; null where v2 has no group of this path. */
    unified: CgroupPlace | null;
    /** The one that says most about where the cgroup is. */
    main: CgroupPlace;
    /** Of v1: controllers in whose hierarchy the process is in no group, and which are null here. */
    in_root: readonly string[];
  }>;

export type CgroupChoice = Readonly<{
  pid?: number | undefined;
  cgroup_path?: string | undefined;
}>;

/**
 * The cgroup of a process, or the one with this path, or else the root.
 *
 * @throws TracewrightError INVALID_PARAMS, NOT_ALLOWED, PID_NOT_FOUND, CGROUP_NOT_FOUND,
 * FEATURE_UNAVAILABLE
 */
export function findCgroup({ files }: Context, { pid, cgroup_path }: CgroupChoice): CgroupPlaces {
  const mounts = cgroupMounts(files);
  if (pid !== undefined && cgroup_path !== undefined) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      'pid and cgroup_path name two cgroups.',
      'Give one of them.',
    );
  }
  const pathIn = pid === undefined ? fixedPath(mounts, cgroup_path ?? '/') : pathsOf(files, pid);
  const place = (mount: CgroupMount | undefined): CgroupPlace | null => {
    const path = mount && pathIn(mount);
    if (mount === undefined || path == null) return null;
    const folder = cgroupFolder(mount, path);
    if (folder === null || files.list(folder) === null) return null;
    refuseLinks(files, mount.mount_point, folder);
    const below = folder.slice(mount.mount_point.length);
    return {
      version: mount.version,
      folder,
      mount_point: mount.mount_point,
      path: below === '' ? '/' : below,
    };
  };
  const places = {
    cpu: place(mountOf(mounts, 'cpu')),
    cpuacct: place(mountOf(mounts, 'cpuacct')),
    memory: place(mountOf(mounts, 'memory')),
    io: place(mountOf(mounts, 'io')),
    pids: place(mountOf(mounts, 'pids')),
  };
  const unified = place(unifiedMount(mounts));
  const all = [places.cpu, places.memory, places.pids, places.io, unified];
  const found = all.filter((each) => each !== null);
  // A process of v1 may be in the root of some hierarchies and in a group of others.
  const main = found.find(({ path }) => path !== '/') ?? found[0];
  if (!main) throw notFound(pid, cgroup_path);
  // A root counts the whole host: its figures are not those of a group.
  const own = (each: CgroupPlace | null): CgroupPlace | null =>
    each !== null && each.path === '/' && main.path !== '/' ? null : each;
  return {
    cpu: own(places.cpu),
    cpuacct: own(places.cpuacct),
    memory: own(places.memory),
    io: own(places.io),
    pids: own(places.pids),
    unified: unified?.path === main.path ? unified : null,
    main,
    in_root: Object.entries(places)
      .filter(([, each]) => each !== null && own(each) === null)
      .map(([name]) => name),
  };
}

function notFound(pid: number | undefined, path: string | undefined): TracewrightError {
  const what =
    pid === undefined
      ? `There is no cgroup "${untrusted(path ?? '/', 120)}".`
      : `The cgroup of process ${pid} is not visible here: it is outside of this container.`;
  return new TracewrightError(
    'CGROUP_NOT_FOUND',
    what,
    'List them: systemd-cgls, or perf_cgroup_summary without arguments.',
  );
}

type PathIn = (mount: CgroupMount) => string | null;

/** Each hierarchy of v1 may have a process elsewhere. */
function pathsOf(files: HostFiles, pid: number): PathIn {
  const file = files.read(`/proc/${pid}/cgroup`);
  if (!file.ok) {
    throw new TracewrightError(
      'PID_NOT_FOUND',
      `There is no process ${pid}.`,
      'Read stats://aggregated/process?comm=NAME for the pid of a program, or run `ps -e`.',
    );
  }
  const { data: memberships } = parsePidCgroup(file.text);
  return ({ version, controllers }) => {
    const found = memberships.find((each) =>
      version === 2
        ? each.hierarchy === 0
        : each.controllers.some((name) => controllers.includes(name)),
    );
    return found?.path ?? null;
  };
}

const longest_path = 4000;

/** The same path in every hierarchy, given as a path in it or with a mount point in front. */
function fixedPath(mounts: readonly CgroupMount[], asked: string): PathIn {
  const parts = asked.split('/').filter((part) => part !== '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it refuses
  const odd = asked.length > longest_path || /[\u0000-\u001f\u007f]/.test(asked);
  if (odd || parts.includes('..') || parts.includes('.')) {
    throw new TracewrightError(
      'NOT_ALLOWED',
      'A cgroup path must not contain "." or ".." parts or control characters.',
      'Give it as systemd-cgls prints it, such as /system.slice/ssh.service.',
    );
  }
  const path = `/${parts.join('/')}`;
  const [below] = mounts
    .filter(({ mount_point }) => path === mount_point || path.startsWith(`${mount_point}/`))
    .sort((a, b) => b.mount_point.length - a.mount_point.length);
  const relative = below ? path.slice(below.mount_point.length) : withoutAlias(mounts, path);
  return ({ root }) => (root === '/' || root.startsWith('/..') ? relative : `${root}${relative}`);
}

/** /sys/fs/cgroup/cpu is a link to the folder of a hierarchy with several controllers. */
function withoutAlias(mounts: readonly CgroupMount[], path: string): string {
  const [, controller, rest] = /^\/sys\/fs\/cgroup\/([^/]+)(.*)$/.exec(path) ?? [];
  const known = mounts.some(({ controllers }) => controllers.includes(controller ?? ''));
  return known ? (rest ?? '') : path;
}

/** The kernel makes no links below a cgroup: one that is there leads elsewhere. */
function refuseLinks(files: HostFiles, mount_point: string, folder: string): void {
  let at = mount_point;
  for (const part of folder.slice(mount_point.length).split('/')) {
    if (part === '') continue;
    at = `${at}/${part}`;
    if (files.link(at) === null) continue;
    throw new TracewrightError(
      'NOT_ALLOWED',
      `${untrusted(at)} is a symbolic link, which no cgroup is.`,
      'Give the path of the cgroup itself.',
    );
  }
}
