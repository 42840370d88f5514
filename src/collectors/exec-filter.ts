import type { ProcessEvent } from '../../parsers/exec-events/exec-events.ts';
import { type SeenProcess, seenProcesses } from '../analysis/process-tree.ts';

export type ExecFilter = Readonly<{
  /** The process itself, its children and theirs. */
  pid: number | null;
  /** Part of a name or file name, in upper or lower case. */
  name: string | null;
  uid: number | null;
  /** Exec calls that failed, alone. */
  failed_only: boolean;
}>;

/** The events that were asked for. */
export function filterEvents(
  events: readonly ProcessEvent[],
  filter: ExecFilter,
): readonly ProcessEvent[] {
  const seen = seenProcesses(events);
  const family = filter.pid === null ? null : familyOf(seen, filter.pid);
  const name = filter.name?.toLowerCase() ?? null;
  return events.filter(
    (event) =>
      (family === null || family.has(event.kind === 'fork' ? event.child : event.pid)) &&
      (filter.uid === null || event.uid === filter.uid) &&
      (name === null || namesOf(event, seen).some((each) => each.toLowerCase().includes(name))) &&
      (!filter.failed_only || event.kind === 'failed_exec'),
  );
}

/** Without what the server began within the window: its own tracers are no news. */
export function withoutOwn(
  events: readonly ProcessEvent[],
  own: number | null,
): readonly ProcessEvent[] {
  if (own === null) return events;
  const seen = seenProcesses(events);
  const begun = [...(seen.get(own)?.children ?? [])].filter((pid) => seen.get(pid)?.began);
  const ours = new Set(begun.flatMap((pid) => [...familyOf(seen, pid)]));
  return events.filter(
    (event) => !ours.has(event.pid) && !(event.kind === 'fork' && ours.has(event.child)),
  );
}

function familyOf(seen: ReadonlyMap<number, SeenProcess>, pid: number): ReadonlySet<number> {
  const family = new Set([pid]);
  for (const member of family) {
    for (const child of seen.get(member)?.children ?? []) family.add(child);
  }
  return family;
}

/** Of a fork also what the child was called later. */
function namesOf(event: ProcessEvent, seen: ReadonlyMap<number, SeenProcess>): readonly string[] {
  if (event.kind === 'exec' || event.kind === 'failed_exec') {
    return [event.comm, event.filename ?? ''];
  }
  return event.kind === 'fork' ? [event.comm, seen.get(event.child)?.comm ?? ''] : [event.comm];
}
