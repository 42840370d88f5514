import { readdirSync, readFileSync } from 'node:fs';

/** A process with all that it has started, and the BPF programs that they hold. */
export type Family = Readonly<{
  /** Start time by process id: ids are used again. */
  processes: Map<number, string>;
  programs: Set<number>;
}>;

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

const programsOf = (pid: number): number[] => {
  try {
    return readdirSync(`/proc/${pid}/fdinfo`).flatMap((fd) => {
      const id = /^prog_id:\t(\d+)$/m.exec(read(`/proc/${pid}/fdinfo/${fd}`))?.[1];
      return id === undefined ? [] : [Number(id)];
    });
  } catch {
    return [];
  }
};

/** Adds what has come since the last call. */
export function familyOf(pid: number, { processes, programs }: Family): void {
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
  for (const [each, { start, state }] of rows) {
    if (state === 'Z' || !isOurs(each)) continue;
    processes.set(each, start);
    for (const id of programsOf(each)) programs.add(id);
  }
}

/** Whether it still runs; one that has ended and is not yet reaped does not. */
export function isAlive([pid, start]: readonly [number, string]): boolean {
  const row = rowOf(pid);
  return row !== null && row.state !== 'Z' && row.start === start;
}
