import type { HostFiles } from '../procfs/host-files.ts';
import { cpu_root, cpuFolder, readCpuList } from './cpu-files.ts';

/** Limits that cpufreq keeps a CPU to now, and the guaranteed frequency where the driver tells. */
export type CpuFrequency = Readonly<{
  min_freq_hz: number | null;
  max_freq_hz: number | null;
  base_freq_hz: number | null;
}>;

const policies = `${cpu_root}/cpufreq`;

/** The limits of each CPU that has a cpufreq policy. Empty where no driver is loaded. */
export function readFrequencies(
  files: HostFiles,
  cpus: readonly number[],
): ReadonlyMap<number, CpuFrequency> {
  const found = new Map<number, CpuFrequency>();
  const all = readPolicies(files, cpus);
  // A driver has the file for every policy or for none; opening 512 missing files costs 10 ms.
  const has_base = all[0] !== undefined && files.exists(`${all[0].folder}/base_frequency`);
  for (const { folder, members } of all) {
    const hz = (name: string): number | null => {
      const khz = files.number(`${folder}/${name}`);
      return khz === null ? null : khz * 1000;
    };
    const frequency = {
      min_freq_hz: hz('scaling_min_freq') ?? hz('cpuinfo_min_freq'),
      max_freq_hz: hz('scaling_max_freq') ?? hz('cpuinfo_max_freq'),
      base_freq_hz: has_base ? hz('base_frequency') : null,
    };
    for (const cpu of members) found.set(cpu, frequency);
  }
  return found;
}

type Policy = Readonly<{ folder: string; members: readonly number[] }>;

/** cpuN/cpufreq is a link to the policy of the CPU: each policy is read once, for all its CPUs. */
function readPolicies(files: HostFiles, cpus: readonly number[]): readonly Policy[] {
  const ids = (files.list(policies) ?? [])
    .map((name) => /^policy(\d+)$/.exec(name)?.[1])
    .filter((id) => id !== undefined)
    .map(Number);
  const own = new Set(ids);
  const one_each = cpus.every((cpu) => own.has(cpu));
  return ids.map((id) => {
    const folder = `${policies}/policy${id}`;
    return {
      folder,
      members: one_each ? [id] : (readCpuList(files, `${folder}/affected_cpus`) ?? []),
    };
  });
}

/** Where the kernel ranks the strength of CPUs, the most telling first. */
const sources = [
  'cpufreq/amd_pstate_prefcore_ranking',
  'cpufreq/amd_pstate_highest_perf',
  'acpi_cppc/highest_perf',
  'cpu_capacity',
  'cpufreq/cpuinfo_max_freq',
] as const;

export type Capacities = Readonly<{
  /** Which file ranks the CPUs; null where none does. */
  source: (typeof sources)[number] | null;
  /** Strength of each CPU, 1024 being the strongest of this host. */
  of: ReadonlyMap<number, number>;
}>;

/** Asks one CPU per core: its threads have the strength of the core. */
export function readCapacities(
  files: HostFiles,
  cores: readonly (readonly number[])[],
): Capacities {
  const first = cores[0]?.[0] ?? 0;
  const source = sources.find((name) => (files.number(`${cpuFolder(first)}/${name}`) ?? 0) > 0);
  if (source === undefined) return { source: null, of: new Map() };
  const raw = cores.map(([cpu = 0]) => files.number(`${cpuFolder(cpu)}/${source}`));
  const strongest = Math.max(...raw.map((value) => value ?? 0));
  const of = new Map<number, number>();
  for (const [core, cpus] of cores.entries()) {
    const value = raw[core] ?? null;
    if (value === null) continue;
    for (const cpu of cpus) of.set(cpu, Math.round((value * 1024) / strongest));
  }
  return { source, of };
}
