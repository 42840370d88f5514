import type { LinkFacts } from './link-facts.ts';
import type { LinkRow } from './network-links.ts';
import { sumKnown } from './rates.ts';
import type { SocketSummary } from './socket-counts.ts';

export type HealthFacts = Readonly<{
  interfaces: readonly (LinkRow & LinkFacts)[];
  tcp: Readonly<{ retransmit_rate: number | null; retransmits: number | null }>;
  socket_summary: SocketSummary;
  stack: Readonly<{
    softnet_dropped: number | null;
    udp_receive_buffer_drops: number | null;
    conntrack: Readonly<{ used_pct: number | null }> | null;
  }>;
  events: Readonly<Record<string, number | null>>;
  states: Readonly<Record<string, number>> | null;
}>;

const many_time_wait = 1000;
const many_close_wait = 100;
const retransmit_pct = { slight: 0.1, bad: 1 };
/** Fewer segments sent again than this are no rate yet. */
const min_retransmits = 5;
const conntrack_full_pct = 80;

/** What stands out in the window, each with its figure and what to look at. */
export function healthIssues(facts: HealthFacts, window_ms: number): readonly string[] {
  return [
    ...facts.interfaces.flatMap((row) => linkIssues(row, window_ms)),
    ...tcpIssues(facts),
    ...socketIssues(facts),
    ...stackIssues(facts),
  ];
}

function linkIssues(row: LinkRow & LinkFacts, window_ms: number): string[] {
  const dropped = sumKnown([row.rx_dropped, row.tx_dropped]) ?? 0;
  const errors = sumKnown([row.rx_errors, row.tx_errors]) ?? 0;
  return [
    ...(dropped > 0
      ? [
          `${row.name} dropped ${row.rx_dropped} received and ${row.tx_dropped} sent packets ` +
            `in ${window_ms} ms.`,
        ]
      : []),
    ...(errors > 0
      ? [`${row.name} had ${row.rx_errors} receive and ${row.tx_errors} send errors.`]
      : []),
    ...(row.duplex === 'half' ? [`${row.name} runs half duplex: check the negotiation.`] : []),
  ];
}

function tcpIssues({ tcp, events }: HealthFacts): string[] {
  const { retransmit_rate, retransmits } = tcp;
  const judged = retransmit_rate !== null && (retransmits ?? 0) >= min_retransmits;
  const count = (name: string): number => events[name] ?? 0;
  const issue = (name: string, words: string): string[] =>
    count(name) > 0 ? [`${count(name)} ${words}`] : [];
  return [
    ...(judged && retransmit_rate > retransmit_pct.slight
      ? [
          `${retransmit_rate} % of TCP segments were sent again (${retransmits})` +
            `${retransmit_rate > retransmit_pct.bad ? ': the path loses packets.' : '.'}`,
        ]
      : []),
    ...issue('listen_overflows', 'connections met a full accept queue: the program accepts late.'),
    ...issue(
      'syn_cookies_sent',
      'SYN cookies were sent: the queue of half-open connections ran over.',
    ),
    ...issue('zero_window_sent', 'times a receive window closed: a program reads too slowly.'),
    ...issue('receive_queue_drops', 'segments were dropped from full receive queues.'),
    ...issue('aborted_on_memory', 'connections were cut for want of socket memory.'),
    ...issue('aborted_on_timeout', 'connections were given up after retransmissions.'),
    ...issue('time_wait_overflows', 'sockets found no room in TIME_WAIT.'),
  ];
}

function socketIssues({ socket_summary, states }: HealthFacts): string[] {
  const time_wait = socket_summary.tcp_time_wait ?? 0;
  const close_wait = states?.['CLOSE_WAIT'] ?? 0;
  return [
    ...(time_wait > many_time_wait
      ? [`${time_wait} sockets in TIME_WAIT: many short connections.`]
      : []),
    ...(close_wait > many_close_wait
      ? [`${close_wait} sockets in CLOSE_WAIT: a program does not close what its peers closed.`]
      : []),
  ];
}

function stackIssues({ stack }: HealthFacts): string[] {
  const { softnet_dropped, udp_receive_buffer_drops, conntrack } = stack;
  const used_pct = conntrack?.used_pct ?? 0;
  return [
    ...(softnet_dropped
      ? [`${softnet_dropped} packets met a full backlog (net.core.netdev_max_backlog).`]
      : []),
    ...(udp_receive_buffer_drops
      ? [`${udp_receive_buffer_drops} UDP datagrams met a full receive buffer.`]
      : []),
    ...(used_pct > conntrack_full_pct
      ? [`The table of tracked connections is ${used_pct} % full (net.netfilter.nf_conntrack_max).`]
      : []),
  ];
}
