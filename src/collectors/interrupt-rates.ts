import { type Interrupts, parseInterrupts } from '../../parsers/interrupts/interrupts.ts';
import { parseSoftIrqs, type SoftIrqs } from '../../parsers/softirqs/softirqs.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import { growth, percent, perSecond } from './rates.ts';

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
    hard: hard.ok ? parseInterrupts(hard.text).data : null,
    soft: soft === null ? null : parseSoftIrqs(soft).data,
  };
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
    const from = earlier.get(source.id);
    const count = growth(from?.total, source.total);
    const per_s = perSecond(count, window_ms);
    if (!from || !count || per_s === null) return [];
    const counts = sameCpus
      ? source.per_cpu.map((each, column) => each - (from.per_cpu[column] ?? 0))
      : [];
    const most = Math.max(0, ...counts);
    const busiest_cpu = after.cpus[counts.indexOf(most)] ?? null;
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
  const earlier = new Map(before.vectors.map(({ name, total }) => [name, total]));
  const rates = after.vectors.flatMap(({ name, total }): SoftIrqRate[] => {
    const count = growth(earlier.get(name), total);
    const per_s = perSecond(count, window_ms);
    return count && per_s !== null ? [{ name, per_s }] : [];
  });
  return rates.sort((a, b) => b.per_s - a.per_s).slice(0, limit);
}
