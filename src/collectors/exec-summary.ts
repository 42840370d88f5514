import type { ProcessEvent } from '../../parsers/exec-events/exec-events.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { ExecTrace } from './exec-rungs.ts';
import { perSecond } from './rates.ts';

/** Counts over all events of the window. Null where the way of tracing does not see them. */
export type ExecSummary = Readonly<{
  /** Calls that worked and calls that failed. */
  total_execs: number | null;
  unique_commands: number | null;
  exec_rate_per_sec: number | null;
  failed_execs: number | null;
  /** Programs by file name, and the names of parents of new processes; most frequent first. */
  by_command: Readonly<Record<string, number>> | null;
  by_parent: Readonly<Record<string, number>> | null;
  total_forks: number | null;
  total_exits: number | null;
  fork_rate_per_sec: number | null;
  max_tree_depth?: number;
  /** Ended within a second of their beginning. */
  short_lived: number | null;
  exited_nonzero: number | null;
  killed_by_signal: number | null;
  threads_begun: number | null;
  tasks_begun: number | null;
}>;

const most = 20;
const short_ns = 1e9;
const many_per_s = 20;

export function execSummary(
  { sees, threads_begun, tasks_begun }: ExecTrace,
  events: readonly ProcessEvent[],
  window_ms: number,
): ExecSummary {
  const execs = events.flatMap((event) => (event.kind === 'exec' ? [event] : []));
  const failed = events.filter(({ kind }) => kind === 'failed_exec').length;
  const forks = events.flatMap((event) => (event.kind === 'fork' ? [event] : []));
  const exits = events.flatMap((event) => (event.kind === 'exit' ? [event] : []));
  const commands = tally(execs.map(({ filename, comm }) => baseName(filename) ?? comm));
  const codes = exits.some(({ code, signal }) => code !== null || signal !== null);
  const ages = exits.some(({ age_ns }) => age_ns !== null);
  const total_execs = sees.execs ? execs.length + failed : null;
  const ended = sees.exits && (codes || exits.length === 0);
  return {
    total_execs,
    unique_commands: sees.execs ? commands.length : null,
    exec_rate_per_sec: perSecond(total_execs, window_ms),
    failed_execs: sees.failures ? failed : null,
    by_command: sees.execs ? Object.fromEntries(commands.slice(0, most)) : null,
    by_parent: sees.forks
      ? Object.fromEntries(tally(forks.map(({ comm }) => comm)).slice(0, most))
      : null,
    total_forks: sees.forks ? forks.length : null,
    total_exits: sees.exits ? exits.length : null,
    fork_rate_per_sec: sees.forks ? perSecond(forks.length, window_ms) : null,
    short_lived:
      sees.exits && (ages || exits.length === 0)
        ? exits.filter(({ age_ns }) => age_ns !== null && age_ns < short_ns).length
        : null,
    exited_nonzero: ended ? exits.filter(({ code }) => (code ?? 0) > 0).length : null,
    killed_by_signal: ended ? exits.filter(({ signal }) => signal !== null).length : null,
    threads_begun,
    tasks_begun,
  };
}

export function execNotes(summary: ExecSummary): readonly string[] {
  const { fork_rate_per_sec, exec_rate_per_sec, short_lived, failed_execs } = summary;
  const notes: string[] = [];
  if ((fork_rate_per_sec ?? 0) > many_per_s) {
    notes.push(`${fork_rate_per_sec} processes begin each second.`);
  }
  if ((exec_rate_per_sec ?? 0) > many_per_s) {
    notes.push(`${exec_rate_per_sec} programs are run each second.`);
  }
  if ((short_lived ?? 0) > 0 && (fork_rate_per_sec ?? 0) > many_per_s) {
    notes.push('Processes that live below a second are seen by no sampling tool such as top.');
  }
  if ((failed_execs ?? 0) > 0) {
    notes.push('A search through PATH fails once for each folder without the program (ENOENT).');
  }
  return notes;
}

function tally(names: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of names) {
    const safe = untrusted(name, 64);
    counts.set(safe, (counts.get(safe) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}

const baseName = (path: string | null): string | null =>
  path === null ? null : path.slice(path.lastIndexOf('/') + 1);
