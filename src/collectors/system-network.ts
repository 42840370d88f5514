import { parseNetDev } from '../../parsers/net-dev/net-dev.ts';
import { parseNetSnmp } from '../../parsers/net-snmp/net-snmp.ts';
import type { Call, Context } from '../context.ts';
import { cut, page } from '../page.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { windowMeter } from './counter-window.ts';
import { inWords } from './cpu-counters.ts';
import { came_meanwhile } from './network-links.ts';
import {
  type InterfaceRow,
  interfaceRow,
  type TcpRates,
  tcpRates,
  type UdpRates,
  udpRates,
} from './network-rates.ts';
import { sumKnown } from './rates.ts';
import { requiredText } from './required-file.ts';

export type SystemNetwork = Readonly<{
  /** Sums over all interfaces of the namespace, loopback and virtual ones too. */
  total_recv_bytes: number | null;
  total_sent_bytes: number | null;
  total_interfaces: number;
  note: string;
  network_namespace: Readonly<{
    id: string | null;
    /** Whether process 1 is in it, that is, whether these are the interfaces of the host. */
    same_as_pid_1: boolean | null;
  }>;
  tcp: TcpRates;
  udp: UdpRates;
  /** The ones with the most traffic first. */
  interfaces: readonly InterfaceRow[];
}>;

type Params = Readonly<{ limit: number; offset: number; window_ms?: number | undefined }>;

const note =
  'Totals are sums over all interfaces of this network namespace, loopback, bridges and tunnels ' +
  'included, so forwarded traffic counts more than once.';

const meter = windowMeter(({ files }) => {
  const { data: devices, warnings } = parseNetDev(requiredText(files, '/proc/net/dev'));
  const snmp = files.text('/proc/net/snmp');
  return {
    devices,
    snmp: snmp === null ? {} : parseNetSnmp(snmp).data,
    warnings: inWords('/proc/net/dev', warnings),
  };
});

/** Traffic of each interface since it was made and during the window, with TCP and UDP health. */
export async function collectSystemNetwork(
  ctx: Context,
  { limit, offset, window_ms: wanted_ms }: Params,
  call: Call,
): Promise<Reading<SystemNetwork>> {
  const { before, after, window_ms } = await meter.measure(ctx, wanted_ms, call);
  const earlier = new Map(before.devices.map((device) => [device.name, device]));
  const rows = after.devices
    .map((device) => interfaceRow(earlier.get(device.name), device, window_ms))
    .sort((a, b) => traffic(b) - traffic(a));
  const shown = page(rows, { limit, offset });
  const data = {
    total_recv_bytes: sumKnown(rows.map((row) => row.recv_bytes)),
    total_sent_bytes: sumKnown(rows.map((row) => row.sent_bytes)),
    total_interfaces: rows.length,
    note,
    network_namespace: networkNamespace(ctx.files),
    tcp: tcpRates(before.snmp, after.snmp, window_ms),
    udp: udpRates(before.snmp, after.snmp, window_ms),
    interfaces: shown.rows,
  };
  return {
    data,
    source: '/proc/net/dev, /proc/net/snmp',
    window_ms,
    warnings: after.warnings,
    unavailable: [...missing(data, ctx.uid), ...uncounted(shown.rows)],
    ...cut(shown, `Read stats://system/network?limit=${limit}&offset=${shown.next_offset}`),
    summary: summary(rows, data),
  };
}

const traffic = (row: InterfaceRow): number => (row.recv_bytes ?? 0) + (row.sent_bytes ?? 0);

export function networkNamespace(files: HostFiles): SystemNetwork['network_namespace'] {
  const id = files.link('/proc/self/ns/net');
  // Closed to other users than root and the owner of process 1.
  const first = files.link('/proc/1/ns/net');
  return { id, same_as_pid_1: id === null || first === null ? null : id === first };
}

function missing({ tcp, udp, network_namespace }: SystemNetwork, uid: number): Unavailable[] {
  const gone: Unavailable[] = [];
  if (tcp === null || udp === null) {
    gone.push({ what: 'tcp, udp', reason: '/proc/net/snmp cannot be read.', fix: null });
  }
  if (tcp?.retransmits_pct === null) {
    const reason = 'No segment was sent during the window.';
    gone.push({ what: 'tcp.retransmits_pct', reason, fix: null });
  }
  if (network_namespace.same_as_pid_1 === null) {
    const reason = 'This server may not look at process 1: ns/net asks for ptrace access.';
    const fix = uid === 0 ? null : 'sudo tracewright mcp';
    gone.push({ what: 'network_namespace.same_as_pid_1', reason, fix });
  }
  return gone;
}

function uncounted(rows: readonly InterfaceRow[]): Unavailable[] {
  const names = rows.filter(({ recv_bytes_per_s }) => recv_bytes_per_s === null);
  if (names.length === 0) return [];
  const which = names.slice(0, 8).map(({ name }) => name);
  return [{ what: '*_per_s', reason: `${which.join(', ')} ${came_meanwhile}`, fix: null }];
}

function summary(
  rows: readonly InterfaceRow[],
  { tcp, network_namespace }: SystemNetwork,
): string[] {
  const busiest = rows.toSorted((a, b) => rate(b) - rate(a))[0];
  const troubled = rows.filter(
    (row) => (row.recv_drops_per_s ?? 0) + (row.sent_drops_per_s ?? 0) > 0,
  );
  const where = network_namespace.same_as_pid_1 === false ? ' (a namespace of its own)' : '';
  return [
    `${rows.length} interfaces${where}; busiest now ${busiest?.name ?? 'none'}: ` +
      `${mbit(busiest?.recv_bytes_per_s)} Mbit/s in, ${mbit(busiest?.sent_bytes_per_s)} out.`,
    ...(tcp
      ? [`TCP: ${tcp.established} connections, ${tcp.retransmits_per_s} retransmits/s.`]
      : []),
    ...(troubled.length > 0
      ? [
          `Dropping packets now: ${troubled
            .slice(0, 5)
            .map((row) => row.name)
            .join(', ')}.`,
        ]
      : []),
  ];
}

const rate = (row: InterfaceRow): number =>
  (row.recv_bytes_per_s ?? 0) + (row.sent_bytes_per_s ?? 0);

const mbit = (bytes_per_s: number | null | undefined): string =>
  bytes_per_s == null ? 'unknown' : ((bytes_per_s * 8) / 1e6).toFixed(1);
