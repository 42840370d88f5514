import type { TcpBytes, TcpChange, TcplifeOutput } from '../../parsers/tcplife/tcplife.ts';

/** A connection as far as it was seen. Null: it began before, or has not ended. */
export type TcpConnection = Readonly<{
  pid: number | null;
  comm: string | null;
  direction: 'out' | 'in' | null;
  local_addr: string;
  local_port: number;
  remote_addr: string;
  remote_port: number;
  /** From SYN to its answer. */
  connect_ns: number | null;
  /** From established to closed. */
  duration_ns: number | null;
  bytes: TcpBytes | null;
  /** `connecting`: nobody has answered yet. */
  state: 'connecting' | 'open' | 'closed' | 'failed';
  at_ns: number;
}>;

const established = 1;
const syn_sent = 2;
const closed = 7;
/** FIN_WAIT1, LAST_ACK: the owner closes it. */
const closing = new Set([4, 9]);

type Open = {
  first: TcpChange;
  last: TcpChange;
  owner: TcpChange | null;
  direction: TcpConnection['direction'];
  syn_ns: number | null;
  established_ns: number | null;
};

/** Puts the changes of each socket together; one address is used by many sockets in turn. */
export function tcpConnections({ changes }: TcplifeOutput): readonly TcpConnection[] {
  const sockets = new Map<string, Open>();
  const done: TcpConnection[] = [];
  for (const change of changes) {
    const open = sockets.get(change.socket) ?? begin(change);
    sockets.set(change.socket, open);
    take(open, change);
    if (change.to !== closed) continue;
    done.push(finish(open));
    sockets.delete(change.socket);
  }
  return [...done, ...[...sockets.values()].map(finish)];
}

const begin = (first: TcpChange): Open => ({
  first,
  last: first,
  owner: null,
  direction: null,
  syn_ns: null,
  established_ns: null,
});

function take(open: Open, change: TcpChange): void {
  open.last = change;
  if (change.to === syn_sent) {
    open.syn_ns = change.at_ns;
    open.direction = 'out';
    open.owner = change;
  }
  if (change.to === established) {
    open.established_ns = change.at_ns;
    if (change.from !== syn_sent) open.direction = 'in';
  }
  if (closing.has(change.to)) open.owner ??= change;
}

function finish(open: Open): TcpConnection {
  const { first, last, owner, direction, syn_ns, established_ns } = open;
  const isClosed = last.to === closed;
  const failed = isClosed && syn_ns !== null && established_ns === null;
  return {
    pid: owner?.pid ?? null,
    comm: owner?.comm ?? null,
    direction,
    local_addr: last.local_addr,
    local_port: last.local_port || first.local_port,
    remote_addr: last.remote_addr,
    remote_port: last.remote_port,
    connect_ns: syn_ns === null || established_ns === null ? null : established_ns - syn_ns,
    duration_ns: isClosed && established_ns !== null ? last.at_ns - established_ns : null,
    bytes: failed ? null : last.bytes,
    state: failed ? 'failed' : isClosed ? 'closed' : last.to === syn_sent ? 'connecting' : 'open',
    at_ns: first.at_ns,
  };
}
