import type { TriageFacts, TriageProcess } from './triage-facts.ts';

/** Those that together use most of the CPU time that is used. */
export function hogs({ processes }: TriageFacts): readonly TriageProcess[] {
  return processes.filter(({ cpu_pct }) => cpu_pct >= 20).sort((a, b) => b.cpu_pct - a.cpu_pct);
}

/** The process in focus neither uses much CPU time nor waits for it most of the time. */
export function isUntouched({ focus_pid, processes }: TriageFacts): boolean {
  const focus = processes.find(({ pid }) => pid === focus_pid);
  return focus !== undefined && focus.cpu_pct < 20 && (focus.wait_pct ?? 0) < 50;
}

export const name = ({ comm, pid }: TriageProcess): string => `${comm} (${pid})`;
export const list = (processes: readonly TriageProcess[]): string =>
  processes.slice(0, 3).map(name).join(', ');
export const largest = ({ processes }: TriageFacts): readonly TriageProcess[] =>
  processes.toSorted((a, b) => (b.rss_bytes ?? -1) - (a.rss_bytes ?? -1)).slice(0, 3);
export const heaviestIo = ({ processes }: TriageFacts): readonly TriageProcess[] =>
  processes
    .filter(({ io_bytes_per_s }) => (io_bytes_per_s ?? 0) > 100_000)
    .sort((a, b) => (b.io_bytes_per_s ?? 0) - (a.io_bytes_per_s ?? 0));
/** Most of what is read had just been in memory. */
export const rereads = ({ refaults }: Pick<TriageFacts, 'refaults'>): boolean =>
  refaults !== null && refaults.per_s > 1000 && (refaults.share_pct ?? 0) >= 50;

/** The group whose limit makes memory short, where the host has enough. */
export function tooSmall(
  facts: TriageFacts,
): NonNullable<TriageFacts['memory_limited']>[number] | null {
  const [limited] = facts.memory_limited ?? [];
  const hostIsFull = (signalValue(facts, 'used_pct') ?? 0) > 80;
  return limited && limited.hits_per_s > 10 && !hostIsFull ? limited : null;
}

/** Whose threads wait for locks: the process in question, or the one that waits most. */
export function locked({
  focus_pid,
  processes,
  blocked_processes,
}: TriageFacts): Readonly<{ pid: number | null; comm: string }> | null {
  const focus = processes.find(({ pid }) => pid === focus_pid);
  return (
    focus ??
    blocked_processes?.find(({ wait_type, pid }) => wait_type === 'lock' && pid !== null) ??
    null
  );
}

export const gib = (bytes: number | null): string =>
  bytes === null ? '?' : (bytes / 2 ** 30).toFixed(1);
export const mb = (bytes: number | null): string => ((bytes ?? 0) / 1e6).toFixed(1);
export const signalValue = ({ signals }: TriageFacts, metric: string): number | null =>
  signals.find((each) => each.metric === metric)?.value ?? null;
