import { parseTcplife, type TcplifeOutput } from '../../parsers/tcplife/tcplife.ts';
import { exactPercentile, groupBy } from '../analysis/ranking.ts';
import { type TcpConnection, tcpConnections } from '../analysis/tcp-connections.ts';
import type { Call, Context } from '../context.ts';
import { boundedTrace, type Rung, traceParts } from './bounded-trace.ts';
import { bpftraceRung } from './bpftrace-rung.ts';
import { tracedProcess } from './traced-process.ts';

type Query = Readonly<{
  duration_seconds: number;
  pid?: number | undefined;
  local_port?: number | undefined;
  remote_port?: number | undefined;
  mode: 'lifecycle' | 'connections';
}>;

const most_connections = 40;
const most_groups = 10;
const most_top = 5;
const output_bytes = 16 * 1024 * 1024;

/** How connections can be traced. */
export function tcpRungs(
  ctx: Context,
  { duration_seconds, pid, local_port, remote_port }: Omit<Query, 'mode'>,
): readonly Rung<TcplifeOutput>[] {
  const rung = bpftraceRung(ctx, {
    script: 'tcplife',
    duration_ms: duration_seconds * 1000,
    parameters: [local_port ?? 0, remote_port ?? 0],
    needs: {
      btf: true,
      pid: pid !== undefined,
      tracepoints: ['sock:inet_sock_set_state', 'tcp:tcp_retransmit_skb'],
    },
    output_bytes,
    parse: parseTcplife,
  });
  return [rung];
}

/**
 * TCP connections within the window. `lifecycle`: those that ended, with duration and bytes;
 * `connections`: those that were opened from here, with the time to connect.
 *
 * @throws TracewrightError PID_NOT_FOUND, PROFILER_BUSY
 */
export async function collectTcpTrace(ctx: Context, query: Query, call: Call) {
  const process = query.pid === undefined ? null : tracedProcess(ctx, query.pid);
  const duration_ms = query.duration_seconds * 1000;
  const rungs = tcpRungs(ctx, query);
  const result = await boundedTrace(ctx, { kind: 'TCP', duration_ms, rungs }, call);
  const { method, ...parts } = traceParts(result, 'TCP connections');
  const output = result.traced?.value ?? null;
  const all = (output ? tcpConnections(output) : []).filter(
    ({ pid }) => process === null || pid === process.pid,
  );
  const rows = all.filter(({ state, direction }) =>
    query.mode === 'lifecycle' ? state === 'closed' : direction === 'out',
  );
  const shown = rows.slice(0, most_connections);
  const failed = all.filter(({ state }) => state === 'failed');
  const connecting = all.filter(({ state }) => state === 'connecting');
  return {
    data: {
      method,
      skipped_methods: result.skipped,
      duration_seconds: query.duration_seconds,
      mode: query.mode,
      ...(process === null ? {} : { pid: process.pid }),
      connections: output && shown.map(connectionRow),
      summary: output && {
        total_connections: rows.length,
        failed_connects: failed.length,
        still_open: all.filter(({ state }) => state === 'open').length,
        still_connecting: connecting.length,
        retransmitted_segments: output.retransmits.length,
        ...tcpTotals(rows),
        by_port: groups(rows, ({ remote_port, local_port, direction }) =>
          String(direction === 'in' ? local_port : remote_port),
        ),
        by_comm: groups(rows, ({ comm }) => comm ?? 'unknown'),
      },
      top_connections: output && topConnections(rows, query.mode),
      notes: [
        ...(rows.some(({ bytes }) => bytes !== null)
          ? ['Byte counts hold one byte each for SYN and FIN.']
          : []),
        ...(failed.length > 0
          ? [
              `${failed.length} connects failed, e.g. to ${failed[0]?.remote_addr}:${failed[0]?.remote_port} by ${failed[0]?.comm}.`,
            ]
          : []),
      ],
    },
    ...parts,
    ...(rows.length > most_connections
      ? {
          truncated: true,
          total: rows.length,
          next: 'perf_tcp_trace with remote_port, local_port or pid',
        }
      : {}),
    summary: output
      ? inWords(
          rows,
          { failed, connecting, retransmits: output.retransmits.length },
          query.mode,
          parts.window_ms ?? 0,
        )
      : ['TCP connections could not be traced: see unavailable.'],
  };
}

function connectionRow({ bytes, connect_ns, duration_ns, at_ns: _, ...row }: TcpConnection) {
  return {
    ...row,
    tx_kb: bytes === null ? null : kb(bytes.acked),
    rx_kb: bytes === null ? null : kb(bytes.received),
    tx_bytes: bytes?.acked ?? null,
    rx_bytes: bytes?.received ?? null,
    retransmits: bytes?.retransmits ?? null,
    rtt_us: bytes?.srtt_us ?? null,
    duration_ms: ms(duration_ns),
    latency_us: connect_ns === null ? null : Math.round(connect_ns / 1000),
  };
}

/** Bytes are known of connections that have ended: null where none has. */
export function tcpTotals(rows: readonly TcpConnection[]) {
  const known = rows.flatMap(({ bytes }) => bytes ?? []);
  const times = rows.flatMap(({ duration_ns }) => duration_ns ?? []);
  const connects = rows.flatMap(({ connect_ns }) => connect_ns ?? []);
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const mean = (values: readonly number[]): number | null =>
    values.length === 0 ? null : sum(values) / values.length;
  const average = mean(connects);
  const p99 = exactPercentile(connects, 0.99);
  const told = known.length > 0 || rows.length === 0;
  return {
    total_tx_kb: told ? kb(sum(known.map(({ acked }) => acked))) : null,
    total_rx_kb: told ? kb(sum(known.map(({ received }) => received))) : null,
    avg_duration_ms: ms(mean(times)),
    avg_latency_us: average === null ? null : Math.round(average / 1000),
    p99_latency_us: p99 === null ? null : Math.round(p99 / 1000),
  };
}

function groups(rows: readonly TcpConnection[], key: (row: TcpConnection) => string) {
  return groupBy(rows, key)
    .slice(0, most_groups)
    .map(({ key: name, rows: each }) => ({ name, connections: each.length }));
}

/** By bytes, or by the time to connect; without those of which it is not known. */
export function topConnections(rows: readonly TcpConnection[], mode: Query['mode']) {
  const isLife = mode === 'lifecycle';
  const metric = ({ bytes, connect_ns }: TcpConnection): number | null => {
    if (isLife) return bytes && bytes.acked + bytes.received;
    return connect_ns === null ? null : Math.round(connect_ns / 1000);
  };
  return rows
    .flatMap((row) => {
      const value = metric(row);
      return value === null ? [] : [{ row, value }];
    })
    .sort((a, b) => b.value - a.value)
    .slice(0, most_top)
    .map(({ row, value }) => ({
      ...connectionRow(row),
      metric: value,
      metric_type: isLife ? 'bytes' : 'latency_us',
    }));
}

type Trouble = Readonly<{
  failed: readonly TcpConnection[];
  connecting: readonly TcpConnection[];
  retransmits: number;
}>;

function inWords(
  rows: readonly TcpConnection[],
  { failed, connecting, retransmits }: Trouble,
  mode: Query['mode'],
  window_ms: number,
): string[] {
  const { total_tx_kb, total_rx_kb, avg_duration_ms, avg_latency_us } = tcpTotals(rows);
  const [busiest] = groups(rows, ({ comm }) => comm ?? 'unknown');
  const figures =
    mode === 'lifecycle'
      ? `${rows.length} TCP connections ended in ${window_ms} ms: ${total_tx_kb ?? '?'} kB sent, ${total_rx_kb ?? '?'} kB received, ${avg_duration_ms ?? '?'} ms long on average.`
      : `${rows.length} TCP connections were opened from here in ${window_ms} ms, in ${avg_latency_us ?? '?'} us on average.`;
  return [
    rows.length === 0 ? `No TCP connection in ${window_ms} ms.` : figures,
    ...(busiest ? [`Most of them: ${busiest.name} (${busiest.connections}).`] : []),
    ...(failed.length > 0 ? [`${failed.length} connects failed.`] : []),
    ...(connecting.length > 0
      ? [
          `${connecting.length} connects have no answer yet, e.g. to ${connecting[0]?.remote_addr}:${connecting[0]?.remote_port}.`,
        ]
      : []),
    ...(retransmits > 0 ? [`${retransmits} segments were sent again.`] : []),
  ];
}

const kb = (bytes: number): number => Math.round(bytes / 10.24) / 100;
const ms = (ns: number | null): number | null => (ns === null ? null : Math.round(ns / 1e4) / 100);
