import { parseNetTcp, type TcpSocket } from '../../parsers/net-tcp/net-tcp.ts';
import { ParseError } from '../../parsers/parsed.ts';
import { parseSockStat, type SockStat } from '../../parsers/sockstat/sockstat.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Unavailable } from '../reading.ts';
import { sumKnown } from './rates.ts';

/** A line of /proc/net/tcp costs the kernel a walk through its table: about 2 us each. */
const max_sockets = 20_000;
const cap_bytes = 8 * 1024 * 1024;

/** What `ss -s` counts, by the same files. */
export type SocketSummary = Readonly<{
  /** With the unconnected ones and those of other network namespaces: the kernel has one count. */
  tcp_total: number | null;
  /** ESTABLISHED and CLOSE_WAIT. */
  tcp_established: number | null;
  tcp_time_wait: number | null;
  tcp_orphaned: number | null;
  /** In the tables of this network namespace, without TIME_WAIT. */
  tcp_in_use: number | null;
  tcp_memory_pages: number | null;
  udp_total: number | null;
}>;

export function socketSummary(files: HostFiles, established: number | null): SocketSummary {
  const v4 = sockStat(files, '/proc/net/sockstat');
  const v6 = sockStat(files, '/proc/net/sockstat6');
  const tcp = v4['TCP'];
  const alloc = tcp?.['alloc'] ?? null;
  const time_wait = tcp?.['tw'] ?? null;
  return {
    tcp_total: alloc === null || time_wait === null ? null : alloc + time_wait,
    tcp_established: established,
    tcp_time_wait: time_wait,
    tcp_orphaned: tcp?.['orphan'] ?? null,
    tcp_in_use: sumKnown([tcp?.['inuse'], v6['TCP6']?.['inuse']]),
    tcp_memory_pages: tcp?.['mem'] ?? null,
    udp_total: sumKnown([v4['UDP']?.['inuse'], v6['UDP6']?.['inuse']]),
  };
}

function sockStat(files: HostFiles, path: string): SockStat {
  const text = files.text(path);
  return text === null ? {} : parseSockStat(text).data;
}

/** The sockets of a network namespace, or why they were not listed. */
export type TcpSockets = Readonly<
  { sockets: readonly TcpSocket[] } | { sockets: null; reason: string }
>;

/** `folder` is /proc/net, or /proc/PID/net for the namespace of a process. */
export function readTcpSockets(files: HostFiles, folder: string): TcpSockets {
  const counted = sumKnown([
    sockStat(files, `${folder}/sockstat`)['TCP']?.['inuse'],
    sockStat(files, `${folder}/sockstat6`)['TCP6']?.['inuse'],
    sockStat(files, `${folder}/sockstat`)['TCP']?.['tw'],
  ]);
  if (counted !== null && counted > max_sockets) {
    return { sockets: null, reason: `${counted} sockets are too many to list.` };
  }
  const tables = ['tcp', 'tcp6'].map((name) => files.read(`${folder}/${name}`, cap_bytes));
  // A kernel without IPv6 has no tcp6.
  const [main] = tables;
  if (!main?.ok) return { sockets: null, reason: `${folder}/tcp cannot be read.` };
  try {
    return {
      sockets: tables.flatMap((table) => (table.ok ? parseNetTcp(table.text).data : [])),
    };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    return { sockets: null, reason: error.message };
  }
}

/** Sockets by state, and listening ones whose accept queue is not empty. */
export function socketStates(sockets: readonly TcpSocket[]) {
  const states: Record<string, number> = {};
  for (const { state } of sockets) states[state] = (states[state] ?? 0) + 1;
  const waiting = sockets
    .filter(({ state, receive_queue }) => state === 'LISTEN' && receive_queue > 0)
    .map(({ local, receive_queue }) => ({ local, waiting_for_accept: receive_queue }))
    .sort((a, b) => b.waiting_for_accept - a.waiting_for_accept);
  return { states, accept_queues: waiting.slice(0, 10) };
}

export const noSocketStates = (reason: string): Unavailable => ({
  what: 'tcp_details.states, tcp_details.accept_queues',
  reason,
  fix: 'ss -tan state close-wait',
});
