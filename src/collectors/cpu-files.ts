import { parseCpuList } from '../../parsers/cpu-list/cpu-list.ts';
import { ParseError } from '../../parsers/parsed.ts';
import type { HostFiles } from '../procfs/host-files.ts';

export const cpu_root = '/sys/devices/system/cpu';

export const cpuFolder = (cpu: number): string => `${cpu_root}/cpu${cpu}`;

/** The ids in a list file; null where it is missing or no list. */
export function readCpuList(files: HostFiles, path: string): number[] | null {
  const text = files.text(path);
  return text === null ? null : orNull(() => parseCpuList(text));
}

/** What a parser makes of a file; null where the file is not what it should be. */
export function orNull<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}
