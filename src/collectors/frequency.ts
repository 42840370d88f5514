import type { HostFiles } from '../procfs/host-files.ts';
import type { Unavailable } from '../reading.ts';
import { cpuFolder } from './cpu-files.ts';

export type CurrentFrequencies = Readonly<{
  /** By CPU, in Hz. A CPU without cpufreq has no entry. */
  freq_hz: ReadonlyMap<number, number>;
  unavailable: readonly Unavailable[];
}>;

/**
 * The frequency of each CPU at this moment from cpufreq's scaling_cur_freq (kHz), which on most x86
 * processors is the mean since the last tick. The limits are part of the topology.
 */
export function readCurrentFrequencies(
  files: HostFiles,
  cpus: readonly number[],
): CurrentFrequencies {
  const freq_hz = new Map<number, number>();
  for (const cpu of cpus) {
    const khz = files.number(`${cpuFolder(cpu)}/cpufreq/scaling_cur_freq`);
    if (khz !== null) freq_hz.set(cpu, khz * 1000);
  }
  const none: Unavailable = {
    what: 'freq_hz',
    reason: 'No cpufreq driver runs: the usual case in a virtual machine.',
    fix: null,
  };
  return { freq_hz, unavailable: freq_hz.size === 0 ? [none] : [] };
}
