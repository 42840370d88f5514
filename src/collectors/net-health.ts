import { parseSoftnetStat, type SoftnetStat } from '../../parsers/softnet-stat/softnet-stat.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { page } from '../page.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { type HostActivity, observeHost } from './host-activity.ts';
import { type LinkFacts, readLinkFacts } from './link-facts.ts';
import { healthIssues } from './net-issues.ts';
import { came_meanwhile, type LinkRow } from './network-links.ts';
import { growth, percent } from './rates.ts';
import {
  noSocketStates,
  readTcpSockets,
  type SocketSummary,
  socketStates,
  socketSummary,
} from './socket-counts.ts';
import { networkNamespace, type SystemNetwork } from './system-network.ts';
import { tcpEvents, tcpFigures } from './tcp-details.ts';

export type NetHealth = Readonly<{
  /** Counts and rates of the window; those with losses first. */
  interfaces: readonly (LinkRow & LinkFacts)[];
  tcp: ReturnType<typeof tcpFigures>;
  socket_summary: SocketSummary;
  /** What the CPUs did with packets that arrived, and connections that netfilter tracks. */
  stack: Readonly<{
    softnet_dropped: number | null;
    softnet_time_squeezed: number | null;
    udp_receive_buffer_drops: number | null;
    udp_no_port: number | null;
    conntrack: Readonly<{ count: number; max: number; used_pct: number | null }> | null;
  }>;
  tcp_details?: Readonly<Record<string, unknown>>;
  network_namespace: SystemNetwork['network_namespace'];
  issues: readonly string[];
}>;

export type NetHealthParams = Readonly<{
  duration_seconds: number;
  interface?: string | undefined;
  include_tcp_details: boolean;
}>;

const interfaces_shown = 40;

/**
 * Losses, errors and traffic of the interfaces and of TCP during the window, and sockets at its end,
 * in the network namespace of this server.
 *
 * @throws TracewrightError DEVICE_NOT_FOUND, FEATURE_UNAVAILABLE
 */
export async function collectNetHealth(
  ctx: Context,
  params: NetHealthParams,
  call: Call,
): Promise<Reading<NetHealth>> {
  const { files } = ctx;
  const softnetBefore = readSoftnet(files);
  const activity = await observeHost(ctx, params.duration_seconds * 1000, call);
  const softnet = softnetBetween(softnetBefore, readSoftnet(files));
  const links = chooseLinks(activity.links, params.interface);
  const shown = page(
    links.map((row) => ({ ...row, ...readLinkFacts(files, row.name) })),
    { limit: interfaces_shown, offset: 0 },
    20_000,
  );
  const details = params.include_tcp_details ? tcpDetails(files, activity) : null;
  const facts = {
    interfaces: shown.rows,
    tcp: tcpFigures(activity),
    socket_summary: socketSummary(files, activity.tcp?.established ?? null),
    stack: {
      ...softnet,
      udp_receive_buffer_drops: activity.udp_counts?.['RcvbufErrors'] ?? null,
      udp_no_port: activity.udp_counts?.['NoPorts'] ?? null,
      conntrack: readConntrack(files),
    },
    events: tcpEvents(activity.tcp_extended),
    states: details?.states ?? null,
  };
  const issues = healthIssues(facts, activity.window_ms);
  const { events, states, ...figures } = facts;
  return {
    data: {
      ...figures,
      ...(details ? { tcp_details: details.data } : {}),
      network_namespace: networkNamespace(files),
      issues,
    },
    source: '/proc/net/{dev,snmp,netstat,sockstat,sockstat6,softnet_stat,tcp,tcp6}, /sys/class/net',
    window_ms: activity.window_ms,
    ...(shown.next_offset === null
      ? {}
      : { truncated: true, total: shown.total, next: 'perf_net_health with interface=PREFIX' }),
    warnings: activity.warnings.filter((warning) => warning.startsWith('/proc/net')),
    unavailable: [
      ...activity.unavailable.filter(({ what }) => what.startsWith('/proc/net')),
      ...missing(figures),
      ...(details?.unavailable ?? []),
    ],
    summary: summary(activity, figures, issues),
  };
}

function chooseLinks(links: readonly LinkRow[] | null, asked: string | undefined) {
  if (links === null) {
    throw new TracewrightError(
      'FEATURE_UNAVAILABLE',
      '/proc/net/dev cannot be read.',
      'Mount procfs: sudo mount -t proc proc /proc',
    );
  }
  if (asked === undefined) return links;
  const exact = links.filter(({ name }) => name === asked);
  const chosen = exact.length > 0 ? exact : links.filter(({ name }) => name.startsWith(asked));
  if (chosen.length > 0) return chosen;
  throw new TracewrightError(
    'DEVICE_NOT_FOUND',
    `There is no interface "${asked.slice(0, 40)}" and none whose name begins with that.`,
    `Choose from: ${links
      .slice(0, 40)
      .map(({ name }) => name)
      .join(', ')}.`,
  );
}

function readSoftnet(files: HostFiles): SoftnetStat | null {
  const text = files.text('/proc/net/softnet_stat');
  return text === null ? null : parseSoftnetStat(text).data;
}

/** A CPU that came online brings what it counted before: only the same CPUs compare. */
function softnetBetween(before: SoftnetStat | null, after: SoftnetStat | null) {
  const same = before?.cpus === after?.cpus;
  return {
    softnet_dropped: same ? growth(before?.dropped, after?.dropped) : null,
    softnet_time_squeezed: same ? growth(before?.time_squeezed, after?.time_squeezed) : null,
  };
}

/** Null where netfilter tracks nothing. */
function readConntrack(files: HostFiles): NetHealth['stack']['conntrack'] {
  const count = files.number('/proc/sys/net/netfilter/nf_conntrack_count');
  const max = files.number('/proc/sys/net/netfilter/nf_conntrack_max');
  return count === null || max === null ? null : { count, max, used_pct: percent(count, max) };
}

function tcpDetails(files: HostFiles, { tcp_extended, tcp }: HostActivity) {
  const listed = readTcpSockets(files, '/proc/net');
  const shown = listed.sockets === null ? null : socketStates(listed.sockets);
  return {
    states: shown?.states ?? null,
    data: {
      ...tcpEvents(tcp_extended),
      resets_sent_per_s: tcp?.resets_sent_per_s ?? null,
      states: shown?.states ?? null,
      accept_queues: shown?.accept_queues ?? null,
    },
    unavailable: listed.sockets === null ? [noSocketStates(listed.reason)] : [],
  };
}

function missing({ interfaces, tcp, stack }: Pick<NetHealth, 'interfaces' | 'tcp' | 'stack'>) {
  const gap = (what: string, reason: string): Unavailable => ({ what, reason, fix: null });
  const silent = interfaces.filter(({ speed_mbps }) => speed_mbps === null).map(({ name }) => name);
  const uncounted = interfaces.filter((row) => !hasLosses(row)).map(({ name }) => name);
  return [
    ...(uncounted.length > 0
      ? [gap('rx_*, tx_*', `${uncounted.slice(0, 8).join(', ')} ${came_meanwhile}`)]
      : []),
    ...(silent.length > 0
      ? [gap('speed_mbps, duplex', `No speed is known of ${silent.slice(0, 8).join(', ')}.`)]
      : []),
    ...(tcp.retransmit_rate === null && tcp.out_segs !== null
      ? [gap('tcp.retransmit_rate', 'No segment was sent during the window.')]
      : []),
    ...(stack.softnet_dropped === null
      ? [gap('stack.softnet_*', '/proc/net/softnet_stat cannot be read, or CPUs came or went.')]
      : []),
    ...(stack.conntrack === null
      ? [gap('stack.conntrack', 'The module nf_conntrack is not loaded.')]
      : []),
  ];
}

/** Whether both directions were counted at both ends of the window. */
const hasLosses = ({ rx_dropped, tx_dropped, rx_errors, tx_errors }: LinkRow): boolean =>
  rx_dropped !== null && tx_dropped !== null && rx_errors !== null && tx_errors !== null;

function summary(
  { window_ms, links }: HostActivity,
  { interfaces, tcp, socket_summary }: Pick<NetHealth, 'interfaces' | 'tcp' | 'socket_summary'>,
  issues: readonly string[],
): string[] {
  const again = tcp.retransmit_rate === null ? 'none sent' : `${tcp.retransmit_rate} % sent again`;
  const top = interfaces[0];
  return [
    issues.length === 0
      ? `No losses on ${interfaces.filter(hasLosses).length} of ${links?.length ?? 0} interfaces in ${window_ms} ms.`
      : `${issues.length} things stand out in ${window_ms} ms.`,
    ...issues.slice(0, 3),
    ...(top && issues.length === 0
      ? [`${top.name}: ${top.rx_bytes_per_s} bytes/s in, ${top.tx_bytes_per_s} out.`]
      : []),
    `TCP: ${tcp.out_segs === null ? 'segments unknown' : `${tcp.in_segs} segments in, ${tcp.out_segs} out, ${again}`}; ` +
      `${socket_summary.tcp_established} established, ${socket_summary.tcp_time_wait} in TIME_WAIT.`,
  ];
}
