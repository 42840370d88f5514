import { parsePidStatus } from '../../parsers/pid-status/pid-status.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { HostFiles } from '../procfs/host-files.ts';

/** The process of a thread that lives; null where it has ended or is closed to us. */
export function ownerOf(files: HostFiles, tid: number): number | null {
  const status = files.text(`/proc/${tid}/status`);
  return status === null ? null : parsePidStatus(status).data.tgid;
}

/** Threads of a process that live. */
export const threadsOf = (files: HostFiles, pid: number): readonly number[] =>
  (files.list(`/proc/${pid}/task`) ?? []).map(Number);

/** Null where the process has ended. Process 0 has no folder: it is what runs where nothing else does. */
export function processName(files: HostFiles, pid: number): string | null {
  if (pid === 0) return 'idle task (interrupts)';
  const name = files.text(`/proc/${pid}/comm`);
  return name === null ? null : untrusted(name);
}
