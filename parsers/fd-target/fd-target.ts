/** What an open file descriptor leads to. */
export type FdType =
  | 'file'
  | 'socket'
  | 'pipe'
  | 'eventfd'
  | 'timerfd'
  | 'signalfd'
  | 'epoll'
  | 'anon_inode'
  | 'device'
  | 'unknown';

const anonymous: Readonly<Record<string, FdType>> = {
  eventfd: 'eventfd',
  timerfd: 'timerfd',
  signalfd: 'signalfd',
  eventpoll: 'epoll',
};

/**
 * The type that the text of a link `/proc/PID/fd/N` shows (proc(5); fs/anon_inodes.c, net/socket.c):
 *
 *     socket:[48213]
 *     anon_inode:[eventpoll]
 *     anon_inode:bpf-map
 *     /dev/null
 *
 * Everything with a path outside of /dev is a file: folders, named pipes, memfd and shared memory
 * below /dev/shm too. An io_uring, inotify, pidfd or BPF object is an `anon_inode`. A pidfd since 6.9
 * and a namespace have a file system of their own: `unknown`.
 */
export function fdType(target: string): FdType {
  if (target.startsWith('socket:')) return 'socket';
  if (target.startsWith('pipe:')) return 'pipe';
  if (target.startsWith('anon_inode:')) {
    const name = /^anon_inode:\[?([\w-]+)/.exec(target)?.[1] ?? '';
    return anonymous[name] ?? 'anon_inode';
  }
  if (target.startsWith('/dev/') && !/^\/dev\/(?:shm|hugepages|mqueue)\//.test(target)) {
    return 'device';
  }
  return target.startsWith('/') ? 'file' : 'unknown';
}

/** The inode of a socket, or null for anything else. */
export function socketInode(target: string): string | null {
  return /^socket:\[(\d{1,20})\]$/.exec(target)?.[1] ?? null;
}
