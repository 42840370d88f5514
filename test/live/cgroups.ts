import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

/** A cgroup of this test, in whichever version the host has its controllers. */
export type TestGroup = Readonly<{
  /** As perf_cgroup_summary takes it. */
  path: string;
  version: 1 | 2;
  limitCpu(cores: number): void;
  limitMemory(bytes: number): void;
  /** Of reads from the block device "major:minor". */
  limitReads(device: string, bytes_per_s: number): void;
  /** A shell command line that runs the rest of its arguments in the group. */
  shell(command: string): readonly [string, ...string[]];
  /** After its last process has ended. */
  remove(): void;
}>;

const root = '/sys/fs/cgroup';
const controllers = ['cpu', 'cpuacct', 'memory', 'blkio', 'pids'] as const;

export function testGroup(name: string): TestGroup {
  return v1() ? groupOfV1(name) : groupOfV2(name);
}

const v1 = (): boolean => readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${root}/memory `);

/** Why no group can be made here; empty where one can. */
export function noGroups(): string {
  if (process.geteuid?.() !== 0) return ' (skipped: making a cgroup needs root)';
  try {
    testGroup('tracewright-probe').remove();
    return '';
  } catch {
    return ' (skipped: no cgroup can be made here)';
  }
}

function groupOfV1(name: string): TestGroup {
  const folder = (controller: string): string => `${root}/${controller}/${name}`;
  for (const controller of controllers) mkdirSync(folder(controller));
  const enter = controllers.map((each) => `echo $$ > ${folder(each)}/cgroup.procs`).join('; ');
  return {
    path: `/${name}`,
    version: 1,
    limitCpu(cores) {
      writeFileSync(`${folder('cpu')}/cpu.cfs_quota_us`, String(Math.round(cores * 100_000)));
    },
    limitMemory: (bytes) =>
      writeFileSync(`${folder('memory')}/memory.limit_in_bytes`, String(bytes)),
    limitReads: (device, bytes_per_s) =>
      writeFileSync(
        `${folder('blkio')}/blkio.throttle.read_bps_device`,
        `${device} ${bytes_per_s}`,
      ),
    shell: (command) => ['sh', '-c', `${enter}; ${command}`],
    remove() {
      for (const controller of controllers) rmdirSync(folder(controller));
    },
  };
}

function groupOfV2(name: string): TestGroup {
  const folder = `${root}/${name}`;
  mkdirSync(folder);
  return {
    path: `/${name}`,
    version: 2,
    limitCpu: (cores) =>
      writeFileSync(`${folder}/cpu.max`, `${Math.round(cores * 100_000)} 100000`),
    limitMemory: (bytes) => writeFileSync(`${folder}/memory.max`, String(bytes)),
    limitReads: (device, bytes_per_s) =>
      writeFileSync(`${folder}/io.max`, `${device} rbps=${bytes_per_s}`),
    shell: (command) => ['sh', '-c', `echo $$ > ${folder}/cgroup.procs; ${command}`],
    remove: () => rmdirSync(folder),
  };
}
