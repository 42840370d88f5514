import type { ProcessEvent } from '../../parsers/exec-events/exec-events.ts';

/** A process as the events of a window show it. */
export type SeenProcess = {
  readonly pid: number;
  /** Its last name; null where no event of its own told it. */
  comm: string | null;
  ppid: number | null;
  /** It began within the window. */
  began: boolean;
  execs: number;
  exit: Extract<ProcessEvent, { kind: 'exit' }> | null;
  readonly children: number[];
};

export type TreeNode = Readonly<{
  pid: number;
  comm: string;
  children: readonly TreeNode[];
  exec_count: number;
  exited: boolean;
  exit_code?: number | null;
  signal?: number;
  duration_ms?: number;
  /** Children that are left out, by name. */
  more?: Readonly<Record<string, number>>;
}>;

type Limits = Readonly<{ nodes: number; depth: number; children: number }>;

export type ProcessTree = Readonly<{
  tree: readonly TreeNode[];
  /** Of all, also of what is left out. */
  max_depth: number;
  left_out: number;
}>;

/** Every process that the events name, by pid. */
export function seenProcesses(events: readonly ProcessEvent[]): ReadonlyMap<number, SeenProcess> {
  const seen = new Map<number, SeenProcess>();

  function processOf(pid: number, comm: string | null): SeenProcess {
    const known = seen.get(pid);
    if (known) return known;
    const process = { pid, comm, ppid: null, began: false, execs: 0, exit: null, children: [] };
    seen.set(pid, process);
    return process;
  }

  function adopt(child: SeenProcess, parent: number | null): void {
    if (parent === null || child.ppid !== null || parent === child.pid) return;
    child.ppid = parent;
    seen.get(parent)?.children.push(child.pid);
  }

  for (const event of events) {
    const process = processOf(event.pid, event.comm);
    process.comm = event.comm;
    if (event.kind === 'fork') {
      const child = processOf(event.child, event.child_comm ?? event.comm);
      child.began = true;
      adopt(child, event.pid);
      continue;
    }
    if (event.ppid !== null && event.ppid > 0) processOf(event.ppid, null);
    adopt(process, event.ppid);
    if (event.kind === 'exec') process.execs += 1;
    if (event.kind === 'exit') process.exit = event;
  }
  return seen;
}

/** The processes as trees from those that nobody of the window began. Largest families first. */
export function processTree(
  seen: ReadonlyMap<number, SeenProcess>,
  limits: Limits,
  nameOf: (pid: number) => string,
): ProcessTree {
  const sizes = new Map<number, number>();
  const depths = measure(seen, sizes);
  const roots = [...seen.values()]
    .filter(({ ppid }) => ppid === null || !seen.has(ppid))
    .sort((a, b) => (sizes.get(b.pid) ?? 0) - (sizes.get(a.pid) ?? 0));
  let left = limits.nodes;

  function grow(process: SeenProcess, depth: number): TreeNode {
    left -= 1;
    const known = process.children.flatMap((pid) => seen.get(pid) ?? []);
    const largest = known.sort((a, b) => (sizes.get(b.pid) ?? 0) - (sizes.get(a.pid) ?? 0));
    const shown: TreeNode[] = [];
    const more: Record<string, number> = {};
    for (const child of largest) {
      if (left > 0 && depth < limits.depth && shown.length < limits.children) {
        shown.push(grow(child, depth + 1));
      } else {
        const name = nameOf(child.pid);
        more[name] = (more[name] ?? 0) + (sizes.get(child.pid) ?? 1);
      }
    }
    return {
      pid: process.pid,
      comm: nameOf(process.pid),
      children: shown,
      exec_count: process.execs,
      exited: process.exit !== null,
      ...ending(process),
      ...(Object.keys(more).length > 0 ? { more } : {}),
    };
  }

  const tree: TreeNode[] = [];
  for (const root of roots) if (left > 0) tree.push(grow(root, 1));
  const shown = limits.nodes - left;
  return { tree, max_depth: depths, left_out: seen.size - shown };
}

function ending({ exit }: SeenProcess): Partial<TreeNode> {
  if (exit === null) return {};
  const { code, signal, age_ns } = exit;
  return {
    exit_code: code,
    ...(signal === null ? {} : { signal }),
    ...(age_ns === null ? {} : { duration_ms: Math.round(age_ns / 1e4) / 100 }),
  };
}

/** Sizes of the families, and the depth of the deepest; without recursion, for chains of thousands. */
function measure(seen: ReadonlyMap<number, SeenProcess>, sizes: Map<number, number>): number {
  const depths = new Map<number, number>();
  for (const { pid, ppid } of seen.values()) {
    if (ppid === null || !seen.has(ppid)) depths.set(pid, 1);
  }
  // Entries that are added while the loop runs are met too: parents come before their children.
  for (const [pid, depth] of depths) {
    for (const child of seen.get(pid)?.children ?? []) depths.set(child, depth + 1);
  }
  let deepest = 0;
  for (const [pid, depth] of [...depths].reverse()) {
    const children = seen.get(pid)?.children ?? [];
    const below = children.reduce((sum, child) => sum + (sizes.get(child) ?? 0), 0);
    sizes.set(pid, below + 1);
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
