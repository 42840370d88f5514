import type { HostFiles } from '../procfs/host-files.ts';
import type { UsersOf } from './refusals.ts';

/** Real, effective, saved and file system user id of a process, from /proc/PID/status. */
export const usersIn =
  (files: HostFiles): UsersOf =>
  (pid) => {
    const status = files.text(`/proc/${pid}/status`) ?? '';
    const ids = /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)$/m.exec(status);
    return ids === null ? null : [...new Set(ids.slice(1).map(Number))];
  };
