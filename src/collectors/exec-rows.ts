import type { ProcessEvent } from '../../parsers/exec-events/exec-events.ts';
import { errorNames } from '../../parsers/syscalls/syscall-names.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import { seenProcesses } from '../analysis/process-tree.ts';
import type { Context, Settings } from '../context.ts';
import { shownArguments } from './process-facts.ts';
import { round } from './rates.ts';

export type ProcessEventRow = Readonly<{
  /** Since the window began. */
  timestamp_ms?: number | null;
  event_type: 'fork' | 'exec' | 'exit';
  pid: number;
  ppid?: number | null;
  uid?: number | null;
  comm: string;
  child_pid?: number;
  /** What the child was called last. */
  child_comm?: string;
  filename?: string | null;
  args?: string | null;
  /** 0, or the error of an exec that failed as a negative number. */
  return_code?: number;
  error?: string;
  exit_code?: number | null;
  signal?: number;
  duration_ms?: number | null;
}>;

export type Relationship = Readonly<{
  parent_pid: number;
  parent_comm: string;
  child_pid: number;
  child_comm: string;
  event_type: 'fork';
}>;

type Shape = Readonly<{
  from_ns: number | null;
  timestamps: boolean;
  max_args: number;
  settings: Settings;
}>;

const max_name = 64;
const max_file = 160;
const max_argument = 80;
/** Credentials in it take less room than they had. */
const longest_looked_at = 512;

export function eventRow(
  event: ProcessEvent,
  nameOf: (pid: number) => string,
  shape: Shape,
): ProcessEventRow {
  const { at_ns, pid, ppid, uid, comm } = event;
  const known = at_ns !== null && shape.from_ns !== null;
  const common = {
    ...(shape.timestamps
      ? { timestamp_ms: known ? round((at_ns - shape.from_ns) / 1e6, 1) : null }
      : {}),
    event_type: event.kind === 'failed_exec' ? ('exec' as const) : event.kind,
    pid,
    ...(event.kind === 'fork' ? {} : { ppid }),
    ...(uid === null ? {} : { uid }),
    comm: untrusted(comm, max_name),
  };
  switch (event.kind) {
    case 'fork':
      return { ...common, child_pid: event.child, child_comm: nameOf(event.child) };
    case 'exec':
      return {
        ...common,
        filename: fileOf(event.filename),
        args: argumentsOf(event, shape),
        return_code: 0,
      };
    case 'failed_exec':
      return {
        ...common,
        filename: fileOf(event.filename),
        return_code: -event.errno,
        error: errorNames[event.errno] ?? `errno_${event.errno}`,
      };
    default:
      return {
        ...common,
        exit_code: event.code,
        ...(event.signal === null ? {} : { signal: event.signal }),
        duration_ms: event.age_ns === null ? null : round(event.age_ns / 1e6, 2),
      };
  }
}

const fileOf = (name: string | null): string | null =>
  name === null ? null : untrusted(name, max_file);

function argumentsOf(
  { args, args_cut }: Extract<ProcessEvent, { kind: 'exec' }>,
  { max_args, settings }: Shape,
): string | null {
  if (args === null) return null;
  const shown = shownArguments(
    args.slice(0, max_args).map((each) => each.slice(0, longest_looked_at)),
    settings,
  ).map((each) => untrusted(each, max_argument));
  return [...shown, ...(args_cut || args.length > max_args ? ['…'] : [])].join(' ');
}

/** What a process was called last, or is called now where no event told it. */
export function processNames(
  { files }: Context,
  events: readonly ProcessEvent[],
): (pid: number) => string {
  const seen = seenProcesses(events);
  return (pid) =>
    untrusted(
      seen.get(pid)?.comm ?? files.text(`/proc/${pid}/comm`)?.trimEnd() ?? `pid ${pid}`,
      max_name,
    );
}

export function relationships(
  events: readonly ProcessEvent[],
  nameOf: (pid: number) => string,
): readonly Relationship[] {
  return events.flatMap((event): Relationship[] => {
    if (event.kind !== 'fork') return [];
    return [
      {
        parent_pid: event.pid,
        parent_comm: untrusted(event.comm, max_name),
        child_pid: event.child,
        child_comm: nameOf(event.child),
        event_type: 'fork',
      },
    ];
  });
}
