import type { NetDevice } from '../../parsers/net-dev/net-dev.ts';
import type { NetSnmp } from '../../parsers/net-snmp/net-snmp.ts';
import { growth, percent, perSecond } from './rates.ts';

/** Counters since the interface was made. Rates are null for one that came during the window. */
export type InterfaceRow = ReturnType<typeof interfaceRow>;

export function interfaceRow(before: NetDevice | undefined, now: NetDevice, window_ms: number) {
  const received = (column: string): number | null => now.receive[column] ?? null;
  const sent = (column: string): number | null => now.transmit[column] ?? null;
  const receiveRate = (column: string): number | null =>
    perSecond(growth(before?.receive[column], now.receive[column]), window_ms);
  const sendRate = (column: string): number | null =>
    perSecond(growth(before?.transmit[column], now.transmit[column]), window_ms);
  return {
    name: now.name,
    recv_bytes: received('bytes'),
    sent_bytes: sent('bytes'),
    recv_packets: received('packets'),
    sent_packets: sent('packets'),
    recv_errs: received('errs'),
    recv_drops: received('drop'),
    sent_errs: sent('errs'),
    sent_drops: sent('drop'),
    recv_bytes_per_s: receiveRate('bytes'),
    sent_bytes_per_s: sendRate('bytes'),
    recv_packets_per_s: receiveRate('packets'),
    sent_packets_per_s: sendRate('packets'),
    recv_drops_per_s: receiveRate('drop'),
    sent_drops_per_s: sendRate('drop'),
  };
}

/** TCP over IPv4 and IPv6 during the window. */
export type TcpRates = ReturnType<typeof tcpRates>;

export function tcpRates(before: NetSnmp, after: NetSnmp, window_ms: number) {
  const [from, to] = [before['Tcp'], after['Tcp']];
  if (!from || !to) return null;
  const count = (name: string): number | null => growth(from[name], to[name]);
  const rate = (name: string): number | null => perSecond(count(name), window_ms);
  return {
    /** Connections open now. */
    established: to['CurrEstab'] ?? null,
    segments_received_per_s: rate('InSegs'),
    segments_sent_per_s: rate('OutSegs'),
    retransmits_per_s: rate('RetransSegs'),
    /** Null where none was sent. */
    retransmits_pct: percent(count('RetransSegs'), sentSegments(from, to) ?? 0),
    receive_errors_per_s: rate('InErrs'),
    resets_sent_per_s: rate('OutRsts'),
    opened_per_s: rate('ActiveOpens'),
    accepted_per_s: rate('PassiveOpens'),
    failed_opens_per_s: rate('AttemptFails'),
  };
}

type TcpCounters = NetSnmp[string];

/**
 * All segments that left. OutSegs leaves out those that were sent again (__tcp_transmit_skb): on a path that loses
 * everything it stands still while RetransSegs grows.
 */
function sentSegments(from: TcpCounters, to: TcpCounters): number | null {
  const first = growth(from['OutSegs'], to['OutSegs']);
  const again = growth(from['RetransSegs'], to['RetransSegs']);
  return first === null || again === null ? null : first + again;
}

/** UDP over IPv4 during the window: the file leaves IPv6 to snmp6. */
export type UdpRates = ReturnType<typeof udpRates>;

export function udpRates(before: NetSnmp, after: NetSnmp, window_ms: number) {
  const [from, to] = [before['Udp'], after['Udp']];
  if (!from || !to) return null;
  const rate = (name: string): number | null => perSecond(growth(from[name], to[name]), window_ms);
  return {
    received_per_s: rate('InDatagrams'),
    sent_per_s: rate('OutDatagrams'),
    receive_errors_per_s: rate('InErrors'),
    receive_buffer_full_per_s: rate('RcvbufErrors'),
    no_port_per_s: rate('NoPorts'),
  };
}
