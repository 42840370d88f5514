import type { HostFiles } from '../procfs/host-files.ts';
import { flat, withAncestors } from './cgroup-cpu.ts';
import type { CgroupPlace } from './cgroup-places.ts';
import { percent } from './rates.ts';

/** v1 says "no limit" as the largest number of whole pages. */
const no_limit_bytes = 2 ** 60;

/** What a cgroup holds now, and what happened to it since it was made. Null: not told here. */
export type CgroupMemory = Readonly<{
  current_bytes: number | null;
  /** -1: no limit of its own. */
  max_bytes: number | null;
  /** Of the tightest limit around it. */
  usage_percent: number | null;
  effective_max_bytes: number | null;
  /** Above this the kernel slows it down (v2) or takes from it first (v1). */
  high_bytes: number | null;
  peak_bytes: number | null;
  anon_bytes: number | null;
  file_bytes: number | null;
  swap_bytes: number | null;
  oom_kills: number | null;
  /** Times that it met its limit. */
  limit_hits: number | null;
  major_faults: number | null;
}>;

export function readCgroupMemory(files: HostFiles, place: CgroupPlace | null): CgroupMemory | null {
  if (place === null) return null;
  const memory = place.version === 2 ? readV2(files, place) : readV1(files, place);
  const { current_bytes, effective_max_bytes } = memory;
  return { ...memory, usage_percent: percent(current_bytes, effective_max_bytes ?? 0) };
}

type Read = Omit<CgroupMemory, 'usage_percent'>;

function readV2(files: HostFiles, place: CgroupPlace): Read {
  const { folder } = place;
  const stat = flat(files, place, 'memory.stat');
  const events = flat(files, place, 'memory.events');
  const limits = withAncestors(place)
    .map((each) => limit(files.text(`${each}/memory.max`)))
    .filter((each) => each !== null && each >= 0);
  return {
    current_bytes: files.number(`${folder}/memory.current`),
    max_bytes: limit(files.text(`${folder}/memory.max`)),
    effective_max_bytes: smallest(limits),
    high_bytes: limit(files.text(`${folder}/memory.high`)),
    peak_bytes: files.number(`${folder}/memory.peak`),
    anon_bytes: stat['anon'] ?? null,
    file_bytes: stat['file'] ?? null,
    swap_bytes: files.number(`${folder}/memory.swap.current`),
    oom_kills: events['oom_kill'] ?? null,
    limit_hits: events['max'] ?? null,
    major_faults: stat['pgmajfault'] ?? null,
  };
}

function readV1(files: HostFiles, place: CgroupPlace): Read {
  const { folder } = place;
  const stat = flat(files, place, 'memory.stat');
  const bounded = (bytes: number | null | undefined): number | null => {
    if (bytes == null) return null;
    return bytes >= no_limit_bytes ? -1 : bytes;
  };
  const own = bounded(files.number(`${folder}/memory.limit_in_bytes`));
  const around = bounded(stat['hierarchical_memory_limit']);
  return {
    current_bytes: files.number(`${folder}/memory.usage_in_bytes`),
    max_bytes: own,
    effective_max_bytes: smallest([own, around].filter((each) => each !== null && each >= 0)),
    high_bytes: bounded(files.number(`${folder}/memory.soft_limit_in_bytes`)),
    peak_bytes: files.number(`${folder}/memory.max_usage_in_bytes`),
    // Without total_ they leave out the groups below.
    anon_bytes: stat['total_rss'] ?? null,
    file_bytes: stat['total_cache'] ?? null,
    swap_bytes: stat['total_swap'] ?? null,
    oom_kills: flat(files, place, 'memory.oom_control')['oom_kill'] ?? null,
    limit_hits: files.number(`${folder}/memory.failcnt`),
    major_faults: stat['total_pgmajfault'] ?? null,
  };
}

/** The text of memory.max and its like: -1 for "max". */
export function limit(text: string | null): number | null {
  const value = text?.trim();
  if (value === undefined || value === '') return null;
  if (value === 'max') return -1;
  return /^\d+$/.test(value) ? Number(value) : null;
}

const smallest = (all: readonly (number | null)[]): number | null => {
  const known = all.filter((each) => each !== null);
  return known.length === 0 ? null : Math.min(...known);
};
