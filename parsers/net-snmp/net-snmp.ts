import { completeLines } from '../lines.ts';
import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

/** Counters since boot by protocol (Ip, Icmp, Tcp, Udp, …; TcpExt in netstat) and name. */
export type NetSnmp = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * `/proc/net/snmp` and `/proc/net/netstat` (net/ipv4/proc.c): pairs of lines with one protocol,
 * first the names, then the values. Tcp MaxConn is -1 where there is no limit.
 *
 *     Udp: InDatagrams NoPorts InErrors OutDatagrams …
 *     Udp: 16 1 0 17 …
 *
 * A pair that does not match becomes a warning and is left out.
 */
export function parseNetSnmp(text: string): Parsed<NetSnmp> {
  const warnings: ParseWarning[] = [];
  const protocols: [string, Record<string, number>][] = [];
  const lines = completeLines(text);
  for (let index = 0; index < lines.length; index += 2) {
    const [protocol = '', ...names] = (lines[index] ?? '').trim().split(/ +/);
    const [again, ...values] = (lines[index + 1] ?? '').trim().split(/ +/);
    const counts = values.map(Number);
    if (protocol !== again || names.length !== counts.length || !counts.every(Number.isInteger)) {
      warnings.push(warn(index + 1, 'names and values do not match', lines[index] ?? ''));
      continue;
    }
    const counters = Object.fromEntries(names.map((name, at) => [name, counts[at] ?? 0]));
    protocols.push([protocol.slice(0, -1), counters]);
  }
  return { data: Object.fromEntries(protocols), warnings };
}
