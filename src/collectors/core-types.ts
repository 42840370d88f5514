import type { HostFiles } from '../procfs/host-files.ts';
import { readCpuList } from './cpu-files.ts';
import type { Capacities } from './cpu-frequencies.ts';

export type CoreType = 'performance' | 'efficiency';

/** PMU devices of Intel hybrid processors; lowpower is the third kind, outside the L3. */
const pmus = [
  ['/sys/devices/cpu_core/cpus', 'performance'],
  ['/sys/devices/cpu_atom/cpus', 'efficiency'],
  ['/sys/devices/cpu_lowpower/cpus', 'efficiency'],
] as const;

/** Proposed for Linux in 2020 and not in mainline: only a patched kernel has it. */
const types = '/sys/devices/system/cpu/types';

/**
 * The kind of each CPU on a hybrid processor, empty on others. From the kernel's own lists, else
 * from cpu_capacity where the strongest is at least 1.3 times the weakest: rankings of favoured
 * cores differ among equal cores too, so no other source of capacity tells kinds apart.
 */
export function readCoreTypes(
  files: HostFiles,
  capacities: Capacities,
): ReadonlyMap<number, CoreType> {
  const told = new Map([...fromTypes(files), ...fromPmus(files)]);
  if (new Set(told.values()).size > 1) return told;
  return capacities.source === 'cpu_capacity' ? fromCapacities(capacities.of) : new Map();
}

function fromTypes(files: HostFiles): [number, CoreType][] {
  return (files.list(types) ?? []).flatMap((name) => {
    const type = /atom/.test(name) ? 'efficiency' : /core/.test(name) ? 'performance' : null;
    if (type === null) return [];
    const cpus = readCpuList(files, `${types}/${name}/cpulist`) ?? [];
    return cpus.map((cpu): [number, CoreType] => [cpu, type]);
  });
}

function fromPmus(files: HostFiles): [number, CoreType][] {
  return pmus.flatMap(([path, type]) =>
    (readCpuList(files, path) ?? []).map((cpu): [number, CoreType] => [cpu, type]),
  );
}

function fromCapacities(capacities: ReadonlyMap<number, number>): Map<number, CoreType> {
  const threshold = Math.max(...capacities.values()) / 1.3;
  if (![...capacities.values()].some((capacity) => capacity <= threshold)) return new Map();
  return new Map(
    [...capacities].map(([cpu, capacity]) => [
      cpu,
      capacity <= threshold ? 'efficiency' : 'performance',
    ]),
  );
}
