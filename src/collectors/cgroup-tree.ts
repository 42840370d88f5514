import { parseCgroupFlat } from '../../parsers/cgroup-flat/cgroup-flat.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { CgroupPlace, CgroupPlaces } from './cgroup-places.ts';
import { growth, percent, round } from './rates.ts';

/** Reading a group costs four files: this many take about a tenth of a second. */
const max_groups = 2000;
const rows_shown = 10;

export type BusyCgroup = Readonly<{
  path: string;
  usage_cores: number | null;
  /** Of the periods of the window in which it ran under a limit. */
  throttled_pct: number | null;
  memory_bytes: number | null;
  /** Times that it met its memory limit, in the window. */
  limit_hits: number | null;
}>;

type GroupSample = Readonly<{
  usage_ns: number | null;
  periods: number | null;
  throttled: number | null;
  memory_bytes: number | null;
  limit_hits: number | null;
}>;

export type TreeSample = Readonly<{
  groups: ReadonlyMap<string, GroupSample>;
  /** Whether there were more than we read. */
  cut: boolean;
}>;

/** Every group below the root, in the hierarchies of CPU time and of memory. */
export function sampleTree(files: HostFiles, { cpu, cpuacct, memory }: CgroupPlaces): TreeSample {
  const account = cpuacct ?? cpu;
  const paths = new Set<string>();
  for (const place of [account, cpu, memory]) {
    if (place) addPaths(files, place.mount_point, paths);
  }
  const groups = [...paths].map((path): [string, GroupSample] => [
    path,
    {
      ...cpuOf(files, cpu, account, path),
      ...memoryOf(files, memory, path),
    },
  ]);
  return { groups: new Map(groups), cut: paths.size >= max_groups };
}

/** Breadth first, so that a cut loses the deepest ones. */
function addPaths(files: HostFiles, mount_point: string, paths: Set<string>): void {
  const queue = [''];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    for (const name of files.list(`${mount_point}${path}`) ?? []) {
      // Asking each file whether it is a folder would cost fifty times as much.
      const below = `${path}/${name}`;
      if (!mayBeGroup(name) || files.list(`${mount_point}${below}`) === null) continue;
      if (paths.size >= max_groups) return;
      paths.add(below);
      queue.push(below);
    }
  }
}

/** Names that the kernel gives to files of a group. */
const kernelFile =
  /^(?:cgroup|cpu|cpuacct|cpuset|memory|io|blkio|pids|hugetlb|misc|rdma|irq|devices|freezer|perf_event|net_cls|net_prio|dmem)\.|^(?:tasks|notify_on_release|release_agent)$/;
const unitName = /\.(?:slice|service|scope|mount|socket|swap)$/;
const mayBeGroup = (name: string): boolean => !kernelFile.test(name) || unitName.test(name);

function cpuOf(
  files: HostFiles,
  cpu: CgroupPlace | null,
  account: CgroupPlace | null,
  path: string,
): Pick<GroupSample, 'usage_ns' | 'periods' | 'throttled'> {
  const text = cpu && files.text(`${cpu.mount_point}${path}/cpu.stat`);
  const stat = parseCgroupFlat(text ?? '');
  const usage_usec = stat['usage_usec'];
  const usage_ns =
    account?.version === 1
      ? files.number(`${account.mount_point}${path}/cpuacct.usage`)
      : usage_usec === undefined
        ? null
        : usage_usec * 1000;
  return {
    usage_ns,
    periods: stat['nr_periods'] ?? null,
    throttled: stat['nr_throttled'] ?? null,
  };
}

function memoryOf(
  files: HostFiles,
  place: CgroupPlace | null,
  path: string,
): Pick<GroupSample, 'memory_bytes' | 'limit_hits'> {
  if (place === null) return { memory_bytes: null, limit_hits: null };
  const folder = `${place.mount_point}${path}`;
  if (place.version === 1) {
    return {
      memory_bytes: files.number(`${folder}/memory.usage_in_bytes`),
      limit_hits: files.number(`${folder}/memory.failcnt`),
    };
  }
  const events = parseCgroupFlat(files.text(`${folder}/memory.events`) ?? '');
  return {
    memory_bytes: files.number(`${folder}/memory.current`),
    limit_hits: events['max'] ?? null,
  };
}

/** What every group did in the window. */
export function cgroupUses(
  before: TreeSample,
  after: TreeSample,
  window_ms: number,
): readonly BusyCgroup[] {
  return [...after.groups].map(([path, now]): BusyCgroup => {
    const then = before.groups.get(path);
    const used_ns = growth(then?.usage_ns, now.usage_ns);
    const periods = growth(then?.periods, now.periods);
    return {
      path: untrusted(path, 200),
      usage_cores: used_ns === null ? null : round(used_ns / 1e6 / window_ms, 3),
      throttled_pct: percent(growth(then?.throttled, now.throttled), periods ?? 0),
      memory_bytes: now.memory_bytes,
      limit_hits: growth(then?.limit_hits, now.limit_hits),
    };
  });
}

/** Those with most CPU time in the window, then with most memory. */
export function busiestCgroups(before: TreeSample, after: TreeSample, window_ms: number) {
  const rows = cgroupUses(before, after, window_ms);
  const ordered = rows.toSorted(
    (a, b) =>
      (b.usage_cores ?? -1) - (a.usage_cores ?? -1) ||
      (b.memory_bytes ?? -1) - (a.memory_bytes ?? -1),
  );
  const warnings = after.cut
    ? [`Only ${max_groups} groups were read, the deepest ones left out.`]
    : [];
  return { rows: ordered.slice(0, rows_shown), total: rows.length, warnings };
}
