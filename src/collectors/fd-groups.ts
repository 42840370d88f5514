import { fdType, socketInode } from '../../parsers/fd-target/fd-target.ts';
import type { TcpSocket } from '../../parsers/net-tcp/net-tcp.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { FdSample } from './fd-sample.ts';

/** TCP sockets of the network namespace of a process, by inode. */
export type SocketsByInode = ReadonlyMap<string, TcpSocket>;

/** Descriptors of one kind that lead to much the same place. */
export type FdGroup = Readonly<{ type: string; where: string; count: number; example: string }>;

/** What was opened since `before` and is open still, the largest group first. */
export function newDescriptors(
  before: FdSample,
  after: FdSample,
  sockets: SocketsByInode,
  limit: number,
): readonly FdGroup[] {
  const groups = new Map<string, { type: string; where: string; count: number; example: string }>();
  for (const [fd, target] of after.targets) {
    if (before.targets.has(fd) && before.targets.get(fd) === target) continue;
    const type = target === null ? 'unknown' : fdType(target);
    const where = place(target, sockets);
    const key = `${type} ${where}`;
    const group = groups.get(key);
    if (group) group.count++;
    else groups.set(key, { type, where, count: 1, example: describe(target, sockets) });
  }
  return [...groups.values()].sort((a, b) => b.count - a.count).slice(0, limit);
}

const unreadable = '(may not be read)';

/** The folder of a file, the peer of a connection, else what it is. */
function place(target: string | null, sockets: SocketsByInode): string {
  if (target === null) return unreadable;
  const socket = tcpOf(target, sockets);
  if (socket) return `tcp ${socket.state} to ${socket.remote}`;
  if (target.startsWith('/')) return untrusted(target.slice(0, target.lastIndexOf('/') + 1));
  return untrusted(target.replace(/:\[\d+\]$/, ''), 60);
}

export function describe(target: string | null, sockets: SocketsByInode): string {
  if (target === null) return unreadable;
  const socket = tcpOf(target, sockets);
  const text = untrusted(target);
  return socket ? `${text} tcp ${socket.local} to ${socket.remote} ${socket.state}` : text;
}

function tcpOf(target: string, sockets: SocketsByInode): TcpSocket | undefined {
  const inode = socketInode(target);
  return inode === null ? undefined : sockets.get(inode);
}

/** How many more of each type. */
export function growthByType(before: FdSample, after: FdSample): Readonly<Record<string, number>> {
  const types = new Set([...Object.keys(before.by_type), ...Object.keys(after.by_type)]);
  const changes = [...types].map((type): [string, number] => [
    type,
    (after.by_type[type] ?? 0) - (before.by_type[type] ?? 0),
  ]);
  return Object.fromEntries(changes.filter(([, change]) => change !== 0));
}
