import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { formatCpuList } from '../parsers/cpu-list/cpu-list.ts';

export type FakeCache = Readonly<{
  level: number;
  type: 'Data' | 'Instruction' | 'Unified';
  size_kib: number;
  cpus: readonly number[];
  /** Absent: the kernel numbers no caches, as on many arm machines. */
  id?: number;
}>;

/** One present CPU. Threads of a core are those of one package, die and core_id. */
export type FakeCpu = Readonly<{
  id: number;
  core_id: number;
  package_id: number;
  die_id?: number;
  node: number;
  /** Offline: topology and cache are gone, the folder and its link to the node stay. */
  offline?: boolean;
  caches?: readonly FakeCache[];
  /** Name of a file below cpuN and what it holds, such as cpu_capacity. */
  extra?: Readonly<Record<string, string | number>>;
}>;

type FakePolicy = Readonly<{
  cpus: readonly number[];
  files: Readonly<Record<string, number>>;
}>;

export type FakeHost = Readonly<{
  cpus: readonly FakeCpu[];
  nodes: readonly Readonly<{ id: number; distances: readonly number[]; memory_kib: number }>[];
  smt_active?: 0 | 1;
  policies?: readonly FakePolicy[];
  /** CPUs that could be added to the machine and are not there. */
  possible?: string;
  extra?: Readonly<Record<string, string>>;
}>;

const cpu_root = 'sys/devices/system/cpu';
const node_root = 'sys/devices/system/node';

/** In memory where there is room: 20,000 small files can take a disk 20 seconds. */
export function emptyFolder(): string {
  return mkdtempSync(join(hasRoom('/dev/shm') ? '/dev/shm' : tmpdir(), 'tracewright-host-'));
}

function hasRoom(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize > 512 * 1024 * 1024;
  } catch {
    return false;
  }
}

/**
 * Writes the /sys of a machine below a new temporary folder, and answers with that folder. It has
 * what `lscpu --sysroot` needs too, so that lscpu can judge the same tree.
 */
export function writeFakeHost(host: FakeHost): string {
  const root = emptyFolder();
  const made = new Set<string>();
  const put = (path: string, value: string | number): void => {
    const file = join(root, path);
    const folder = dirname(file);
    if (!made.has(folder)) mkdirSync(folder, { recursive: true });
    made.add(folder);
    writeFileSync(file, `${value}\n`);
  };
  const online = host.cpus.filter((cpu) => !cpu.offline);
  putCpuLists(host, online, put);
  const processors = online.map((cpu) => `processor\t: ${cpu.id}\nmodel name\t: made up\n`);
  put('proc/cpuinfo', processors.join('\n'));
  for (const cpu of host.cpus) {
    mkdirSync(join(root, cpu_root, `cpu${cpu.id}`), { recursive: true });
    if (!cpu.offline) putCpu(cpu, online, put);
  }
  for (const { cpus, files } of host.policies ?? []) {
    const policy = `policy${cpus[0]}`;
    put(`${cpu_root}/cpufreq/${policy}/affected_cpus`, cpus.join(' '));
    for (const [name, value] of Object.entries(files)) {
      put(`${cpu_root}/cpufreq/${policy}/${name}`, value);
    }
    for (const cpu of cpus) {
      symlinkSync(`../cpufreq/${policy}`, join(root, cpu_root, `cpu${cpu}`, 'cpufreq'));
    }
  }
  putNodes(host, online, put);
  if (host.nodes.length > 0) {
    for (const { id, node } of host.cpus) {
      symlinkSync(`../../node/node${node}`, join(root, cpu_root, `cpu${id}`, `node${node}`));
    }
  }
  for (const [path, value] of Object.entries(host.extra ?? {})) put(path, value);
  return root;
}

/** Ids as the mask that lscpu reads: hexadecimal words of 32 bits, highest first. */
function mask(cpus: readonly number[]): string {
  const words = Array<number>(Math.floor(Math.max(0, ...cpus) / 32) + 1).fill(0);
  for (const cpu of cpus) words[cpu >> 5] = (words[cpu >> 5] ?? 0) + 2 ** (cpu & 31);
  return words
    .reverse()
    .map((word) => word.toString(16).padStart(8, '0'))
    .join(',');
}

type Put = (path: string, value: string | number) => void;

const ids = (cpus: readonly FakeCpu[]): string => formatCpuList(cpus.map((cpu) => cpu.id));

function putCpuLists(host: FakeHost, online: readonly FakeCpu[], put: Put): void {
  put(`${cpu_root}/online`, ids(online));
  put(`${cpu_root}/offline`, ids(host.cpus.filter((cpu) => cpu.offline)));
  put(`${cpu_root}/present`, ids(host.cpus));
  put(`${cpu_root}/possible`, host.possible ?? ids(host.cpus));
  if (host.smt_active !== undefined) put(`${cpu_root}/smt/active`, host.smt_active);
}

function putCpu(cpu: FakeCpu, online: readonly FakeCpu[], put: Put): void {
  const folder = `${cpu_root}/cpu${cpu.id}`;
  const die = cpu.die_id ?? 0;
  const inPackage = online.filter((other) => other.package_id === cpu.package_id);
  const inCore = inPackage.filter(
    (other) => (other.die_id ?? 0) === die && other.core_id === cpu.core_id,
  );
  put(`${folder}/topology/core_id`, cpu.core_id);
  put(`${folder}/topology/physical_package_id`, cpu.package_id);
  put(`${folder}/topology/die_id`, die);
  put(`${folder}/topology/core_cpus_list`, ids(inCore));
  put(`${folder}/topology/thread_siblings_list`, ids(inCore));
  put(`${folder}/topology/package_cpus_list`, ids(inPackage));
  put(`${folder}/topology/thread_siblings`, mask(inCore.map(({ id }) => id)));
  put(`${folder}/topology/core_siblings`, mask(inPackage.map(({ id }) => id)));
  for (const [index, cache] of (cpu.caches ?? []).entries()) {
    const path = `${folder}/cache/index${index}`;
    put(`${path}/level`, cache.level);
    put(`${path}/type`, cache.type);
    put(`${path}/size`, `${cache.size_kib}K`);
    put(`${path}/shared_cpu_list`, formatCpuList(cache.cpus));
    put(`${path}/shared_cpu_map`, mask(cache.cpus));
    if (cache.id !== undefined) put(`${path}/id`, cache.id);
  }
  for (const [name, value] of Object.entries(cpu.extra ?? {})) put(`${folder}/${name}`, value);
}

function putNodes(host: FakeHost, online: readonly FakeCpu[], put: Put): void {
  if (host.nodes.length === 0) return;
  put(`${node_root}/online`, formatCpuList(host.nodes.map(({ id }) => id)));
  for (const { id, distances, memory_kib } of host.nodes) {
    const folder = `${node_root}/node${id}`;
    const members = online.filter((cpu) => cpu.node === id).map((cpu) => cpu.id);
    put(`${folder}/cpulist`, formatCpuList(members));
    put(`${folder}/cpumap`, mask(members));
    put(`${folder}/distance`, distances.join(' '));
    put(
      `${folder}/meminfo`,
      `Node ${id} MemTotal:       ${memory_kib} kB\nNode ${id} MemFree:        ${memory_kib >> 1} kB`,
    );
  }
}
