import { type MemInfo, parseMemInfo } from '../../parsers/meminfo/meminfo.ts';
import type { Pressure } from '../../parsers/pressure/pressure.ts';
import { parseVmstat } from '../../parsers/vmstat/vmstat.ts';
import type { Call, Context } from '../context.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { windowMeter } from './counter-window.ts';
import { inWords } from './cpu-counters.ts';
import { noPressure, readPressure } from './host-pressure.ts';
import { growth, perSecond, round } from './rates.ts';
import { requiredText } from './required-file.ts';

export type SystemMemory = ReturnType<typeof memorySizes> &
  ReturnType<typeof pagingRates> &
  Readonly<{ pressure: Pressure | null }>;

const meter = windowMeter(({ files }) => {
  const text = files.text('/proc/vmstat');
  return text === null ? null : parseVmstat(text);
});

/** How the memory is used now, and paging during the window. */
export async function collectSystemMemory(
  ctx: Context,
  { window_ms: wanted_ms }: Readonly<{ window_ms?: number | undefined }>,
  call: Call,
): Promise<Reading<SystemMemory>> {
  const { before, after, window_ms } = await meter.measure(ctx, wanted_ms, call);
  const { data: memory, warnings } = parseMemInfo(requiredText(ctx.files, '/proc/meminfo'));
  const paging = pagingRates(before ?? {}, after ?? {}, window_ms);
  const data = {
    ...memorySizes(memory),
    ...paging,
    pressure: readPressure(ctx.files, 'memory'),
  };
  return {
    data,
    source: '/proc/meminfo, /proc/vmstat, /proc/pressure/memory',
    window_ms,
    warnings: inWords('/proc/meminfo', warnings),
    unavailable: missing(data, after === null ? Object.keys(paging) : []),
    summary: summary(data),
  };
}

/** `*_kb` are kibibytes, as in /proc/meminfo; `*_bytes` are the same and more in bytes. */
export function memorySizes({ bytes, pages }: MemInfo) {
  const size = (name: string): number | null => bytes[name] ?? null;
  const kib = (name: string): number | null => {
    const value = size(name);
    return value === null ? null : value / 1024;
  };
  const total_bytes = size('MemTotal');
  const available_bytes = size('MemAvailable');
  const swap_total_bytes = size('SwapTotal');
  const swap_free_bytes = size('SwapFree');
  return {
    total_kb: kib('MemTotal'),
    free_kb: kib('MemFree'),
    available_kb: kib('MemAvailable'),
    buffers_kb: kib('Buffers'),
    cached_kb: kib('Cached'),
    swap_total_kb: kib('SwapTotal'),
    swap_free_kb: kib('SwapFree'),
    free_ratio: ratio(size('MemFree'), total_bytes),
    swap_ratio: ratio(swap_free_bytes, swap_total_bytes),
    total_bytes,
    free_bytes: size('MemFree'),
    available_bytes,
    /** Total without available: what cannot be given to a program without swapping. */
    used_bytes: growth(available_bytes, total_bytes),
    buffers_bytes: size('Buffers'),
    cached_bytes: size('Cached'),
    swap_total_bytes,
    swap_free_bytes,
    swap_used_bytes: growth(swap_free_bytes, swap_total_bytes),
    shared_bytes: size('Shmem'),
    anonymous_bytes: size('AnonPages'),
    slab_bytes: size('Slab'),
    slab_reclaimable_bytes: size('SReclaimable'),
    page_tables_bytes: size('PageTables'),
    dirty_bytes: size('Dirty'),
    writeback_bytes: size('Writeback'),
    committed_bytes: size('Committed_AS'),
    commit_limit_bytes: size('CommitLimit'),
    corrupted_bytes: size('HardwareCorrupted'),
    hugepages:
      pages['HugePages_Total'] === undefined
        ? null
        : {
            total: pages['HugePages_Total'],
            free: pages['HugePages_Free'] ?? null,
            reserved: pages['HugePages_Rsvd'] ?? null,
            size_bytes: size('Hugepagesize'),
          },
  };
}

/** Null where the whole is 0 or unknown. */
const ratio = (part: number | null, whole: number | null): number | null =>
  part === null || !whole ? null : round(part / whole, 4);

type Counters = Readonly<Record<string, number>>;

function pagingRates(before: Counters, after: Counters, window_ms: number) {
  const rate = (name: string): number | null =>
    perSecond(growth(before[name], after[name]), window_ms);
  const kibRate = (name: string): number | null => {
    const kib = growth(before[name], after[name]);
    return kib === null ? null : perSecond(kib * 1024, window_ms);
  };
  return {
    page_faults_per_s: rate('pgfault'),
    major_faults_per_s: rate('pgmajfault'),
    swap_in_pages_per_s: rate('pswpin'),
    swap_out_pages_per_s: rate('pswpout'),
    disk_read_bytes_per_s: kibRate('pgpgin'),
    disk_written_bytes_per_s: kibRate('pgpgout'),
    oom_kills_in_window: growth(before['oom_kill'], after['oom_kill']),
    oom_kills_since_boot: after['oom_kill'] ?? null,
  };
}

/** `closed`: what /proc/vmstat would tell, where it cannot be read. */
function missing(data: SystemMemory, closed: readonly string[]): Unavailable[] {
  const { pressure, swap_ratio, hugepages, ...rest } = data;
  const unknown = Object.entries(rest).filter(
    ([name, value]) => value === null && !closed.includes(name),
  );
  const reason = 'This kernel has no such line in /proc/meminfo or /proc/vmstat.';
  const what = [...unknown.map(([name]) => name), ...(hugepages === null ? ['hugepages'] : [])];
  return [
    ...(swap_ratio === null && data.swap_total_kb === 0
      ? [{ what: 'swap_ratio', reason: 'The host has no swap.', fix: null }]
      : []),
    ...(closed.length === 0
      ? []
      : [{ what: closed.join(', '), reason: '/proc/vmstat cannot be read.', fix: null }]),
    ...(what.length === 0 ? [] : [{ what: what.join(', '), reason, fix: null }]),
    ...(pressure === null ? [noPressure] : []),
  ];
}

function summary(data: SystemMemory): string[] {
  const gib = (bytes: number | null): string =>
    bytes === null ? 'unknown' : (bytes / 2 ** 30).toFixed(1);
  const swap =
    data.swap_total_kb === 0
      ? 'No swap.'
      : `Swap: ${gib(data.swap_used_bytes)} of ${gib(data.swap_total_bytes)} GiB used, ` +
        `${data.swap_in_pages_per_s} pages/s in, ${data.swap_out_pages_per_s} out.`;
  const some = data.pressure?.some;
  return [
    `${gib(data.available_bytes)} of ${gib(data.total_bytes)} GiB available, ` +
      `${gib(data.free_bytes)} free, ${gib(data.cached_bytes)} page cache.`,
    swap,
    `${data.page_faults_per_s} page faults/s, ${data.major_faults_per_s} of them from disk.`,
    ...(some ? [`Memory pressure: some task stalled ${some.avg10_pct} % of the last 10 s.`] : []),
    ...(data.oom_kills_in_window ? [`OOM kills in the window: ${data.oom_kills_in_window}.`] : []),
  ];
}
