import type { DiskStats } from '../../parsers/diskstats/diskstats.ts';
import type { DiskKind } from './disk-devices.ts';
import { growth, growth32, percent, perSecond, round, sumOfAll } from './rates.ts';

const sector_bytes = 512;

/** What a block device did during a window, under the names of iostat's ideas. */
export type DiskRow = ReturnType<typeof diskRow>;

/**
 * Null where the counter is missing or started anew, and waits where no request of the kind ended.
 * `utilization` is the share of the window with at least one request under way, which for a device
 * that serves many at once says little; `avg_queue_size` is the mean number under way.
 */
export function diskRow(
  before: DiskStats | undefined,
  now: DiskStats,
  kind: DiskKind,
  window_ms: number,
) {
  const count = (name: Counter): number | null => growth(before?.[name], now[name]);
  // The kernel prints milliseconds with 32 bits.
  const ms = (name: MsColumn): number | null => growth32(before?.[name], now[name]);
  const reads = count('reads');
  const writes = count('writes');
  const [read_ms, write_ms] = [ms('read_ms'), ms('write_ms')];
  const busy_ms = ms('busy_ms');
  const queue_ms = ms('queue_ms');
  const bytes = (sectors: number | null): number | null =>
    sectors === null ? null : sectors * sector_bytes;
  const [read_bytes, written_bytes] = [
    bytes(count('sectors_read')),
    bytes(count('sectors_written')),
  ];
  return {
    name: now.name,
    kind,
    reads_per_sec: perSecond(reads, window_ms),
    writes_per_sec: perSecond(writes, window_ms),
    read_bytes_per_sec: perSecond(read_bytes, window_ms),
    write_bytes_per_sec: perSecond(written_bytes, window_ms),
    avg_queue_size: queue_ms === null || window_ms <= 0 ? null : round(queue_ms / window_ms, 2),
    utilization: busy_ms === null ? null : Math.min(100, percent(busy_ms, window_ms) ?? 0),
    avg_wait_ms: mean(sumOfAll([read_ms, write_ms]), sumOfAll([reads, writes])),
    read_wait_ms: mean(read_ms, reads),
    write_wait_ms: mean(write_ms, writes),
    avg_read_bytes: mean(read_bytes, reads, 0),
    avg_write_bytes: mean(written_bytes, writes, 0),
    reads_merged_per_sec: perSecond(count('reads_merged'), window_ms),
    writes_merged_per_sec: perSecond(count('writes_merged'), window_ms),
    discards_per_sec: perSecond(count('discards'), window_ms),
    discard_bytes_per_sec: perSecond(bytes(count('sectors_discarded')), window_ms),
    discard_wait_ms: mean(ms('discard_ms'), count('discards')),
    flushes_per_sec: perSecond(count('flushes'), window_ms),
    flush_wait_ms: mean(ms('flush_ms'), count('flushes')),
    in_flight: now.in_flight,
    /** Reads and writes that ended in the window: how much the waits rest on. */
    requests: sumOfAll([reads, writes]),
  };
}

type Counter =
  | 'reads'
  | 'reads_merged'
  | 'sectors_read'
  | 'writes'
  | 'writes_merged'
  | 'sectors_written'
  | 'discards'
  | 'sectors_discarded'
  | 'flushes';
type MsColumn = 'read_ms' | 'write_ms' | 'busy_ms' | 'queue_ms' | 'discard_ms' | 'flush_ms';

const mean = (sum: number | null, count: number | null, decimals = 2): number | null =>
  sum === null || !count ? null : round(sum / count, decimals);

/** By name, for devices that were there at both ends. A number may go to another device. */
export function earlierDisks(before: readonly DiskStats[]): ReadonlyMap<string, DiskStats> {
  return new Map(before.map((disk) => [disk.name, disk]));
}
