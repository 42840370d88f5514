import { completeLines } from '../lines.ts';
import { type Parsed, type ParseWarning, warn } from '../parsed.ts';
import { untrusted } from '../untrusted.ts';

const columns = [
  'reads',
  'reads_merged',
  'sectors_read',
  'read_ms',
  'writes',
  'writes_merged',
  'sectors_written',
  'write_ms',
  'in_flight',
  'busy_ms',
  'queue_ms',
  'discards',
  'discards_merged',
  'sectors_discarded',
  'discard_ms',
  'flushes',
  'flush_ms',
] as const;

/** Columns up to queue_ms, which every kernel since 2.6.25 prints for partitions too. */
const oldest_columns = 11;

type Column = (typeof columns)[number];

/**
 * Counters of a block device since it came. Sectors are 512 bytes whatever the device has. Requests
 * count when they end; `queue_ms` is the time that all requests spent under way, `busy_ms` the time
 * with at least one, `in_flight` how many there are now. The columns in ms wrap at 2^32. Null: this
 * kernel does not have the column.
 */
export type DiskStats = Readonly<{ major: number; minor: number; name: string }> &
  Readonly<Record<Column, number | null>>;

const diskLine = /^ *(\d{1,20}) +(\d{1,20}) (\S+) (\d{1,20}(?: \d{1,20})*)$/;

/**
 * `/proc/diskstats` (block/genhd.c, diskstats_show; Documentation/admin-guide/iostats.rst):
 *
 *      254       0 vda 1961811 102556 54800282 1678401 467833 959220 59062712 361926 0 169336 2106831 …
 *        8       1 sda1 178 12 8480 60 3 0 24 8 0 96 68 0 0 0 0 0 0
 *
 * Discards came with 4.18, flushes with 5.5. A row of another form, such as the four columns of a
 * partition before 2.6.25, becomes a warning.
 */
export function parseDiskStats(text: string): Parsed<readonly DiskStats[]> {
  const data: DiskStats[] = [];
  const warnings: ParseWarning[] = [];
  for (const [index, line] of completeLines(text).entries()) {
    const [, major, minor, name, values] = diskLine.exec(line) ?? [];
    const counts = values?.split(' ').map(Number) ?? [];
    if (name === undefined || counts.length < oldest_columns) {
      warnings.push(warn(index + 1, 'not the counters of a block device', line));
      continue;
    }
    data.push({
      major: Number(major),
      minor: Number(minor),
      name: untrusted(name, 40),
      ...named(counts),
    });
  }
  return { data, warnings };
}

function named(counts: readonly number[]): Record<Column, number | null> {
  const at = (index: number): number | null => counts[index] ?? null;
  return {
    reads: at(0),
    reads_merged: at(1),
    sectors_read: at(2),
    read_ms: at(3),
    writes: at(4),
    writes_merged: at(5),
    sectors_written: at(6),
    write_ms: at(7),
    in_flight: at(8),
    busy_ms: at(9),
    queue_ms: at(10),
    discards: at(11),
    discards_merged: at(12),
    sectors_discarded: at(13),
    discard_ms: at(14),
    flushes: at(15),
    flush_ms: at(16),
  };
}
