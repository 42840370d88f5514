import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { run } from './program.ts';
import { until } from './until.ts';

const sched_ext = '/sys/kernel/sched_ext';

/** A file of /sys/kernel/sched_ext, read past Tracewright; null where it is not there. */
export function schedExt(name: string): string | null {
  try {
    return readFileSync(`${sched_ext}/${name}`, 'utf8').trim();
  } catch {
    return null;
  }
}

/** Counters of the loaded scheduler. */
export function schedExtEvents(): Map<string, number> {
  const lines = (schedExt('root/events') ?? '').split('\n');
  return new Map(lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]));
}

export type CpuPlace = Readonly<{ cpu: number; core: number; node: number; llc: number }>;

/** Where lscpu says that each online CPU is. Caches are counted from 0 in the order of CPUs. */
export async function lscpu(): Promise<readonly CpuPlace[]> {
  const printed = await run('lscpu', '--parse=CPU,CORE,NODE,CACHE');
  const caches: string[] = [];
  return printed
    .split('\n')
    .filter((line) => /^\d/.test(line))
    .map((line) => {
      const [cpu = '', core = '', node = '', levels = ''] = line.split(',');
      // "0:0:0:2": a number per level, the last-level cache last. Kernel ids may leave some out.
      const cache = levels.split(':').at(-1) ?? '';
      if (!caches.includes(cache)) caches.push(cache);
      const llc = caches.indexOf(cache);
      return { cpu: Number(cpu), core: Number(core), node: Number(node), llc };
    });
}

const onlineFile = (cpu: number): string => `/sys/devices/system/cpu/cpu${cpu}/online`;

/** Whether the machine lets a CPU go; x86 keeps CPU 0. */
export const canGoOffline = (cpu: number): boolean => existsSync(onlineFile(cpu));

export async function setOnline(cpu: number, online: boolean): Promise<void> {
  const wanted = online ? '1' : '0';
  writeFileSync(onlineFile(cpu), wanted);
  await until(
    () => readFileSync(onlineFile(cpu), 'utf8').trim(),
    (state) => state === wanted,
  );
}
