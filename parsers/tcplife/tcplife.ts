import { readBpftraceOutput, type TraceHealth } from '../bpftrace-json/bpftrace-output.ts';
import { untrusted } from '../untrusted.ts';

/** What went through a socket until its end. SYN and FIN count as a byte each. */
export type TcpBytes = Readonly<{
  acked: number;
  received: number;
  retransmits: number;
  srtt_us: number;
}>;

/** A socket changed its state. `pid` and `comm` are of the process that ran then. */
export type TcpChange = Readonly<{
  at_ns: number;
  socket: string;
  pid: number;
  from: number;
  to: number;
  family: 4 | 6;
  local_port: number;
  remote_port: number;
  comm: string;
  local_addr: string;
  remote_addr: string;
  /** Of a change that ends a socket; null where it is not known. */
  bytes: TcpBytes | null;
}>;

export type TcplifeOutput = Readonly<{
  health: TraceHealth;
  /** In the order in which they happened: those of several CPUs are printed in any. */
  changes: readonly TcpChange[];
  retransmits: readonly Readonly<{ at_ns: number; local_port: number; remote_port: number }>[];
}>;

/** TCP_CLOSE. */
const closed = 7;

const change =
  /^C (\d{1,20}) ([0-9a-f]{1,16}) (\d{1,20}) (\d{1,20}) (\d{1,20}) ([46]) (\d{1,20}) (\d{1,20}) (.*)\|([0-9a-f.:]+)\|([0-9a-f.:]+)$/s;
const amount = /^B ([0-9a-f]{1,16}) (\d{1,20}) (\d{1,20}) (\d{1,20}) (\d{1,20})$/;
const again = /^R (\d{1,20}) (\d{1,20}) (\d{1,20})$/;

/**
 * What scripts/bpftrace/tcplife.bt prints.
 *
 *     {"type": "printf", "data": "C 16258199497990 ffff88823d62e5c0 22306 2 1 4 59242 60451 python3|127.0.0.1|127.0.0.1"}
 *     {"type": "printf", "data": "B ffff88823d62e5c0 5002 3001 0 34"}
 */
export function parseTcplife(text: string): TcplifeOutput {
  const output = readBpftraceOutput(text);
  const changes: TcpChange[] = [];
  /**
   * Ends of sockets whose bytes have not come: lines of other CPUs may stand between the two. Null
   * where an address ended twice meanwhile, and nobody knows to which end the bytes belong.
   */
  const ended = new Map<string, number | null>();
  const retransmits: { at_ns: number; local_port: number; remote_port: number }[] = [];
  for (const line of output.printed) {
    const moved = readChange(line);
    if (moved) changes.push(moved);
    if (moved?.to === closed) {
      ended.set(moved.socket, ended.has(moved.socket) ? null : changes.length - 1);
    }
    const [, socket = '', ...figures] = amount.exec(line) ?? [];
    const position = ended.get(socket) ?? -1;
    const end = changes[position];
    ended.delete(socket);
    if (end) changes[position] = { ...end, bytes: bytesOf(figures) };
    const [, at, local, remote] = again.exec(line) ?? [];
    if (remote !== undefined) {
      const ports = { local_port: Number(local), remote_port: Number(remote) };
      retransmits.push({ at_ns: Number(at), ...ports });
    }
  }
  changes.sort((one, other) => one.at_ns - other.at_ns);
  return { health: output.health, changes, retransmits };
}

function readChange(line: string): TcpChange | null {
  const [, at, socket, pid, from, to, family, local, remote, comm, ...addresses] =
    change.exec(line) ?? [];
  const [local_addr, remote_addr] = addresses;
  if (socket === undefined || local_addr === undefined || remote_addr === undefined) return null;
  return {
    at_ns: Number(at),
    socket,
    pid: Number(pid),
    from: Number(from),
    to: Number(to),
    family: family === '6' ? 6 : 4,
    local_port: Number(local),
    remote_port: Number(remote),
    comm: untrusted(comm ?? '', 64),
    local_addr,
    remote_addr,
    bytes: null,
  };
}

function bytesOf(figures: readonly string[]): TcpBytes {
  const [acked = 0, received = 0, retransmits = 0, srtt_us = 0] = figures.map(Number);
  return { acked, received, retransmits, srtt_us };
}
