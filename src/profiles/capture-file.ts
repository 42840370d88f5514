import * as z from 'zod/v4';
import { frameTree } from './frame-tree.ts';
import type { SampleTimes, StackProfile } from './stack-profile.ts';

const kinds = ['kernel', 'user', 'jit', 'inlined', 'bpf', 'guest', 'unknown'] as const;

/** Stacks as nodes of a tree: a long stack is written once, however many begin like it. */
const file = z.object({
  version: z.literal(1),
  facts: z.object({
    event: z.string(),
    unit: z.enum(['samples', 'ns', 'count', 'bytes']),
    total: z.number(),
    samples: z.number(),
    period: z.number().nullable(),
    duration_ms: z.number().nullable(),
    lost: z.number(),
    warnings: z.array(z.string()),
  }),
  frames: z.array(z.tuple([z.string(), z.string().nullable(), z.enum(kinds)])),
  parents: z.array(z.number()),
  nodes: z.array(z.number()),
  tasks: z.array(z.tuple([z.string().nullable(), z.number().nullable(), z.number().nullable()])),
  /** Node, task, weight, samples of each stack, one after another. */
  stacks: z.array(z.number()),
  /** Stack, thread, CPU, and nanoseconds since the sample before, of each sample. */
  times: z.array(z.number()).optional(),
});

export function captureText(profile: StackProfile): string {
  const { frames, stacks, times = null, ...facts } = profile;
  let ends: Int32Array = new Int32Array();
  const tree = frameTree(profile, (nodes) => {
    ends = nodes;
  });
  const tasks: [string | null, number | null, number | null][] = [];
  const numbers = new Map<string, number>();
  const rows = stacks.flatMap(({ comm, pid, tid, weight, samples }, index) => {
    const key = JSON.stringify([comm, pid, tid]);
    const task = numbers.get(key) ?? tasks.push([comm, pid, tid]) - 1;
    numbers.set(key, task);
    return [ends[index] ?? 0, task, weight, samples];
  });
  return JSON.stringify({
    version: 1,
    facts,
    frames: frames.map(({ name, module, kind }) => [name, module, kind]),
    parents: [...tree.parents],
    nodes: [...tree.frames],
    tasks,
    stacks: rows,
    ...(times === null ? {} : { times: timeRows(times) }),
  });
}

const timeRows = ({ stacks, tids, cpus, ns }: SampleTimes): number[] =>
  ns.flatMap((ts, at) => [
    stacks[at] ?? 0,
    tids[at] ?? 0,
    cpus[at] ?? -1,
    at === 0 ? ts : ts - (ns[at - 1] ?? 0),
  ]);

function timesOf(rows: readonly number[]): SampleTimes {
  const column = (from: number): number[] =>
    Array.from({ length: rows.length / 4 }, (_, row) => rows[row * 4 + from] ?? 0);
  let ts = 0;
  const ns = column(3).map((step) => {
    ts += step;
    return ts;
  });
  return { stacks: column(0), tids: column(1), cpus: column(2), ns };
}

/** Null where the text is not one of captureText. */
export function readCaptureText(text: string): StackProfile | null {
  const parsed = file.safeParse(json(text));
  if (!parsed.success) return null;
  const { facts, frames, parents, nodes, tasks, stacks, times } = parsed.data;
  const stackOf = (end: number): number[] => {
    const stack: number[] = [];
    for (let at = end; at > 0; at = parents[at] ?? 0) stack.push(nodes[at] ?? 0);
    return stack.reverse();
  };
  return {
    ...facts,
    ...(times === undefined ? {} : { times: timesOf(times) }),
    frames: frames.map(([name, module, kind]) => ({ name, module, kind })),
    stacks: Array.from({ length: stacks.length / 4 }, (_each, row) => {
      const [node = 0, task = 0, weight = 0, samples = 0] = stacks.slice(row * 4, row * 4 + 4);
      const [comm = null, pid = null, tid = null] = tasks[task] ?? [];
      return { frames: stackOf(node), comm, pid, tid, weight, samples };
    }),
  };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
