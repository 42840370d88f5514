import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process with all that it has started, and what of the kernel they hold. */
export type Family = {
  /** Start time by process id: ids are used again. */
  readonly processes: Map<number, string>;
  readonly programs: Set<number>;
  readonly links: Set<number>;
  /** The most perf events that they held at once. */
  events: number;
};

type Row = Readonly<{ parent: number; start: string; state: string }>;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function rowOf(pid: number): Row | null {
  const text = read(`/proc/${pid}/stat`);
  const [state, parent, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const start = fields[17];
  return state === undefined || start === undefined
    ? null
    : { parent: Number(parent), start, state };
}

const descriptorsOf = (pid: number): string[] => {
  try {
    return readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
};

function targetOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
}

/** Adds what a process holds, and gives how many perf events are among it. */
function addHeld(pid: number, { programs, links }: Family): number {
  let events = 0;
  for (const fd of descriptorsOf(pid)) {
    const target = targetOf(pid, fd);
    if (!target.startsWith('anon_inode:')) continue;
    if (target.includes('perf_event')) events += 1;
    if (!target.includes('bpf')) continue;
    const info = read(`/proc/${pid}/fdinfo/${fd}`);
    const [program, link] = [/^prog_id:\t(\d+)$/m, /^link_id:\t(\d+)$/m].map(
      (pattern) => pattern.exec(info)?.[1],
    );
    if (program !== undefined) programs.add(Number(program));
    if (link !== undefined) links.add(Number(link));
  }
  return events;
}

/** Adds what has come since the last call. */
export function familyOf(pid: number, family: Family): void {
  const rows = new Map<number, Row>();
  for (const name of readdirSync('/proc')) {
    const row = /^\d+$/.test(name) ? rowOf(Number(name)) : null;
    if (row) rows.set(Number(name), row);
  }
  const isOurs = (each: number): boolean => {
    for (let at = each, depth = 0; at > 1 && depth < 20; depth++) {
      if (at === pid) return true;
      at = rows.get(at)?.parent ?? 0;
    }
    return false;
  };
  let events = 0;
  for (const [each, { start, state }] of rows) {
    if (state === 'Z' || !isOurs(each)) continue;
    family.processes.set(each, start);
    events += addHeld(each, family);
  }
  family.events = Math.max(family.events, events);
}

/** Processes whose command line names this folder: what escaped the look at parents and children. */
export const naming = (folder: string): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => read(`/proc/${name}/cmdline`).includes(folder))
    .map(Number)
    .filter((pid) => rowOf(pid)?.state !== 'Z');

/** Whether it still runs; one that has ended and is not yet reaped does not. */
export function isAlive([pid, start]: readonly [number, string]): boolean {
  const row = rowOf(pid);
  return row !== null && row.state !== 'Z' && row.start === start;
}
