import type { Growth, HostActivity } from './host-activity.ts';
import { perSecond } from './rates.ts';

/** Our names for counters of TcpExt (/proc/net/netstat, net/ipv4/proc.c). */
const counters = {
  listen_overflows: 'ListenOverflows',
  listen_drops: 'ListenDrops',
  syn_cookies_sent: 'SyncookiesSent',
  request_queue_drops: 'TCPReqQFullDrop',
  timeouts: 'TCPTimeouts',
  fast_retransmits: 'TCPFastRetrans',
  syn_retransmits: 'TCPSynRetrans',
  lost_retransmits: 'TCPLostRetransmit',
  tail_loss_probes: 'TCPLossProbes',
  out_of_order: 'TCPOFOQueue',
  duplicate_acks_received: 'TCPDSACKRecv',
  zero_window_sent: 'TCPToZeroWindowAdv',
  backlog_drops: 'TCPBacklogDrop',
  receive_queue_drops: 'TCPRcvQDrop',
  pruned: 'PruneCalled',
  aborted_on_timeout: 'TCPAbortOnTimeout',
  aborted_on_data: 'TCPAbortOnData',
  aborted_on_close: 'TCPAbortOnClose',
  aborted_on_memory: 'TCPAbortOnMemory',
  memory_pressures: 'TCPMemoryPressures',
  time_wait_overflows: 'TCPTimeWaitOverflow',
} as const;

/** Counts of the window by our names; null where this kernel does not count it. */
export function tcpEvents(extended: Growth | null): Readonly<Record<string, number | null>> {
  const pairs = Object.entries(counters);
  return Object.fromEntries(pairs.map(([ours, kernels]) => [ours, extended?.[kernels] ?? null]));
}

/** The documented TCP figures: counts of the window, rates per second, shares in percent. */
export function tcpFigures({ tcp, tcp_counts, window_ms }: HostActivity) {
  return {
    ...tcp_counts,
    /** Of the segments that were sent, the share that was sent again. */
    retransmit_rate: tcp?.retransmits_pct ?? null,
    /** Resets that this host sent, per second. */
    reset_rate: tcp?.resets_sent_per_s ?? null,
    retransmits_per_s: perSecond(tcp_counts.retransmits, window_ms),
    failed_opens_per_s: tcp?.failed_opens_per_s ?? null,
    receive_errors_per_s: tcp?.receive_errors_per_s ?? null,
  };
}
