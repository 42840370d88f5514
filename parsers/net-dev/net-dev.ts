import { completeLines } from '../lines.ts';
import { type Parsed, ParseError, type ParseWarning, warn } from '../parsed.ts';
import { untrusted } from '../untrusted.ts';

/** Counters of one direction by the names in the header: bytes, packets, errs, drop, fifo, … */
type Direction = Readonly<Record<string, number>>;

export type NetDevice = Readonly<{ name: string; receive: Direction; transmit: Direction }>;

/**
 * `/proc/net/dev` (net/core/net-procfs.c): counters since each interface was made.
 *
 *      face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs …
 *      eth0: 302024473    7824    0    0    0     0          0         0   559963    4293    0 …
 *
 * Columns are found by the header, whose second line names them for each direction. Large counters
 * may touch the colon. A row of another width becomes a warning. Without the header: ParseError.
 */
export function parseNetDev(text: string): Parsed<readonly NetDevice[]> {
  const [, header = '', ...rows] = completeLines(text);
  const [face, receive, transmit] = header.split('|').map((part) => part.trim().split(/ +/));
  if (face?.[0] !== 'face' || !receive || !transmit) {
    throw new ParseError('no header of columns: this is not /proc/net/dev', 2);
  }
  const warnings: ParseWarning[] = [];
  const devices: NetDevice[] = [];
  for (const [index, row] of rows.entries()) {
    const colon = row.lastIndexOf(':');
    const counts = row
      .slice(colon + 1)
      .trim()
      .split(/ +/)
      .map(Number);
    const whole = counts.length === receive.length + transmit.length && counts.every(isCounter);
    if (colon === -1 || !whole) {
      warnings.push(warn(index + 3, 'not the counters of an interface', row));
      continue;
    }
    devices.push({
      name: untrusted(row.slice(0, colon), 40),
      receive: named(receive, counts),
      transmit: named(transmit, counts.slice(receive.length)),
    });
  }
  return { data: devices, warnings };
}

const isCounter = (value: number): boolean => Number.isInteger(value) && value >= 0;

const named = (names: readonly string[], counts: readonly number[]): Direction =>
  Object.fromEntries(names.map((name, index) => [name, counts[index] ?? 0]));
