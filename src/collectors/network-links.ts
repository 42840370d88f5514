import type { NetDevice } from '../../parsers/net-dev/net-dev.ts';
import { growth, perSecond, sumKnown } from './rates.ts';

/** What an interface carried during a window; null for one that came meanwhile. */
export type LinkRow = ReturnType<typeof linkRow>;

export function linkRow(before: NetDevice | undefined, now: NetDevice, window_ms: number) {
  const received = (column: string): number | null =>
    growth(before?.receive[column], now.receive[column]);
  const sent = (column: string): number | null =>
    growth(before?.transmit[column], now.transmit[column]);
  return {
    name: now.name,
    rx_bytes: received('bytes'),
    tx_bytes: sent('bytes'),
    rx_packets: received('packets'),
    tx_packets: sent('packets'),
    rx_errors: received('errs'),
    tx_errors: sent('errs'),
    rx_dropped: received('drop'),
    tx_dropped: sent('drop'),
    rx_bytes_per_s: perSecond(received('bytes'), window_ms),
    tx_bytes_per_s: perSecond(sent('bytes'), window_ms),
    /** Since the interface was made. */
    errors_total: sumKnown([now.receive['errs'], now.transmit['errs']]),
    dropped_total: sumKnown([now.receive['drop'], now.transmit['drop']]),
  };
}

/** Why an interface has no counts of the window, after its name. */
export const came_meanwhile = 'came during the window, or its counters began anew.';

export function linkRows(
  before: readonly NetDevice[],
  after: readonly NetDevice[],
  window_ms: number,
): readonly LinkRow[] {
  const earlier = new Map(before.map((link) => [link.name, link]));
  return after
    .map((link) => linkRow(earlier.get(link.name), link, window_ms))
    .sort((a, b) => trouble(b) - trouble(a) || traffic(b) - traffic(a));
}

/** Interfaces that lose something come before busy ones. */
const trouble = (row: LinkRow): number =>
  (row.rx_errors ?? 0) + (row.tx_errors ?? 0) + (row.rx_dropped ?? 0) + (row.tx_dropped ?? 0);

const traffic = (row: LinkRow): number => (row.rx_bytes ?? 0) + (row.tx_bytes ?? 0);
