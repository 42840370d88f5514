import { parseLoadAverage } from '../../parsers/loadavg/loadavg.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import { orNull } from './cpu-files.ts';

/** Threads of the host (the kernel's own count, in /proc/loadavg); null where it cannot be read. */
export function liveTasks(files: HostFiles): number | null {
  const text = files.text('/proc/loadavg');
  return text === null ? null : (orNull(() => parseLoadAverage(text))?.total ?? null);
}
