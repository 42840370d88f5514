import { TracewrightError } from '../errors.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Unavailable } from '../reading.ts';
import type { Places } from './process-row.ts';
import { readTopology } from './topology.ts';

/** The online CPUs by id, or why they are not known. */
export function readPlaces(
  files: HostFiles,
): Readonly<{ places: Places; unavailable: readonly Unavailable[] }> {
  try {
    const { cpus } = readTopology(files);
    return { places: new Map(cpus.map((cpu) => [cpu.id, cpu])), unavailable: [] };
  } catch (error) {
    if (!(error instanceof TracewrightError)) throw error;
    const reason = error.message;
    return {
      places: new Map(),
      unavailable: [{ what: 'llc_id, node_id', reason, fix: null }],
    };
  }
}

/** Our own pid as this /proc numbers it; null where it does not show us. */
export function readSelf(files: HostFiles): number | null {
  const pid = Number(files.link('/proc/self') ?? Number.NaN);
  return Number.isSafeInteger(pid) ? pid : null;
}
