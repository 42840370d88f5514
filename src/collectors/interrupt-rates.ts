import {
  type InterruptSource,
  type Interrupts,
  parseInterrupts,
} from '../../parsers/interrupts/interrupts.ts';
import { parseSoftIrqs, type SoftIrqs } from '../../parsers/softirqs/softirqs.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import { orNull } from './cpu-files.ts';
import { growth, growth32, percent, perSecond } from './rates.ts';

/** One column per CPU and one row per interrupt: 512 CPUs with 2,000 interrupts write 12 MB. */
const cap_bytes = 32 * 1024 * 1024;

export type InterruptCounters = Readonly<{
  /** Null where the file cannot be read, as in some containers. */
  hard: Interrupts | null;
  soft: SoftIrqs | null;
}>;

export type InterruptRate = Readonly<{
  id: string;
  description: string;
  per_s: number;
  /** The CPU that took most of them, and how much of them; null where CPUs came or went. */
  busiest_cpu: number | null;
  busiest_cpu_pct: number | null;
}>;

export type SoftIrqRate = Readonly<{ name: string; per_s: number }>;

export function readInterrupts(files: HostFiles): InterruptCounters {
  const hard = files.read('/proc/interrupts', cap_bytes);
  const soft = files.text('/proc/softirqs');
  return {
    hard: hard.ok ? orNull(() => parseInterrupts(hard.text).data) : null,
    soft: soft === null ? null : orNull(() => parseSoftIrqs(soft).data),
  };
}

type Counted = Readonly<{ cpus: readonly number[]; per_cpu: readonly number[] }>;

/**
 * By how much each CPU of the second sample counted on: 0 where it was not in the first one, whose
 * count is of before the window. The kernel counts with 32 bits. Null where one began anew.
 */
function countsBetween(before: Counted, after: Counted): readonly number[] | null {
  const earlier = new Map(before.cpus.map((cpu, column) => [cpu, before.per_cpu[column]]));
  const counts: number[] = [];
  for (const [column, cpu] of after.cpus.entries()) {
    const count = earlier.has(cpu) ? growth32(earlier.get(cpu), after.per_cpu[column]) : 0;
    if (count === null) return null;
    counts.push(count);
  }
  return counts;
}

const sum = (counts: readonly number[]): number => counts.reduce((all, each) => all + each, 0);

/** What one source counted, by CPU where it tells; null where it is not the same in both samples. */
function sourceBetween(
  before: Interrupts,
  after: Interrupts,
  [then, now]: readonly [InterruptSource | undefined, InterruptSource | undefined],
): Readonly<{ count: number; counts: readonly number[] }> | null {
  // A device that came may have the number of one that went.
  if (!then || !now || then.description !== now.description) return null;
  if (now.per_cpu.length === 0) {
    const count = growth(then.total, now.total);
    return count === null ? null : { count, counts: [] };
  }
  const counts = countsBetween(
    { cpus: before.cpus, per_cpu: then.per_cpu },
    { cpus: after.cpus, per_cpu: now.per_cpu },
  );
  return counts && { count: sum(counts), counts };
}

/** Interrupts of one source in a window, of the CPUs that are in both samples. */
export function interruptGrowth(before: Interrupts, after: Interrupts, id: string): number | null {
  const of = ({ sources }: Interrupts) => sources.find((source) => source.id === id);
  return sourceBetween(before, after, [of(before), of(after)])?.count ?? null;
}

/** The most frequent sources during the window, those that did nothing left out. */
export function topInterrupts(
  before: Interrupts,
  after: Interrupts,
  window_ms: number,
  limit: number,
): InterruptRate[] {
  const earlier = new Map(before.sources.map((source) => [source.id, source]));
  const sameCpus = before.cpus.join() === after.cpus.join();
  const rates = after.sources.flatMap((source): InterruptRate[] => {
    const grown = sourceBetween(before, after, [earlier.get(source.id), source]);
    const per_s = perSecond(grown?.count ?? null, window_ms);
    if (!grown?.count || per_s === null) return [];
    const { count, counts } = grown;
    const most = Math.max(0, ...counts);
    const busiest_cpu = sameCpus ? (after.cpus[counts.indexOf(most)] ?? null) : null;
    const busiest_cpu_pct = busiest_cpu === null ? null : percent(most, count);
    const { id, description } = source;
    return [{ id, description, per_s, busiest_cpu, busiest_cpu_pct }];
  });
  return rates.sort((a, b) => b.per_s - a.per_s).slice(0, limit);
}

export function topSoftIrqs(
  before: SoftIrqs,
  after: SoftIrqs,
  window_ms: number,
  limit: number,
): SoftIrqRate[] {
  const earlier = new Map(before.vectors.map(({ name, per_cpu }) => [name, per_cpu]));
  const rates = after.vectors.flatMap(({ name, per_cpu }): SoftIrqRate[] => {
    const then = earlier.get(name);
    const counts =
      then && countsBetween({ cpus: before.cpus, per_cpu: then }, { cpus: after.cpus, per_cpu });
    const per_s = perSecond(counts ? sum(counts) : null, window_ms);
    return per_s ? [{ name, per_s }] : [];
  });
  return rates.sort((a, b) => b.per_s - a.per_s).slice(0, limit);
}
