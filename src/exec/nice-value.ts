import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Gives a process that we started a nice value, and its session, which it has for itself: where the
 * kernel shares out the CPUs by session (sched_autogroup_enabled), the nice value of a process only
 * counts among those of its session, and a session begins with 0. It runs as it is where we may not
 * do so.
 */
export function giveNice(pid: number, nice: number, session = nice): void {
  for (const give of [
    () => setPriority(pid, nice),
    () => writeFileSync(`/proc/${pid}/autogroup`, String(session)),
  ]) {
    try {
      give();
    } catch {
      // EACCES without CAP_SYS_NICE, ENOENT without autogroups, ESRCH when it has ended at once.
    }
  }
}
