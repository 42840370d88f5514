import { parseMemInfo } from '../../parsers/meminfo/meminfo.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import { sumKnown } from './rates.ts';

const mm = '/sys/kernel/mm';

/** How much memory there is, and how the kernel is set up to page it. */
export function readHostMemory(files: HostFiles) {
  const text = files.text('/proc/meminfo');
  const { bytes, pages } = text === null ? { bytes: {}, pages: {} } : parseMemInfo(text).data;
  const reserved = reservedPages(files) ?? pages['HugePages_Total'] ?? null;
  const thp_mode = bracketed(files.text(`${mm}/transparent_hugepage/enabled`));
  return {
    total_bytes: bytes['MemTotal'] ?? null,
    /** Whether pages of any huge size are reserved. */
    huge_pages_enabled: reserved === null ? null : reserved > 0,
    huge_pages_reserved: reserved,
    /** Whether programs get transparent huge pages: always, or where they ask for them. */
    thp_enabled: thp_mode === null ? null : thp_mode !== 'never',
    thp_mode,
    swap_total_bytes: bytes['SwapTotal'] ?? null,
  };
}

/** Of all sizes; /proc/meminfo counts those of the default size only. */
function reservedPages(files: HostFiles): number | null {
  const sizes = files.list(`${mm}/hugepages`) ?? [];
  return sumKnown(sizes.map((size) => files.number(`${mm}/hugepages/${size}/nr_hugepages`)));
}

/** The setting in brackets: "always [madvise] never". */
function bracketed(text: string | null): string | null {
  return /\[(\w+)\]/.exec(text ?? '')?.[1] ?? null;
}
