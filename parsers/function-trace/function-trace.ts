import type { Bucket, Stats } from '../bpftrace-json/bpftrace-json.ts';
import { readBpftraceOutput } from '../bpftrace-json/bpftrace-output.ts';

/** Calls of one task that came the same way. */
export type CallStack = Readonly<{
  comm: string;
  count: number;
  /** As printed, the innermost frame first: `vfs_read+5`. */
  frames: readonly string[];
}>;

/** What was seen of one function. */
export type FunctionSeen = {
  calls: number;
  /** Of calls that returned. Null where that was not asked for, or none did. */
  latency: Readonly<{ stats: Stats; max_ns: number; buckets: readonly Bucket[] }> | null;
  stacks: readonly CallStack[];
};

export type FunctionTrace = Readonly<{
  /** Null where the program was ended before its time was over: then nothing was counted. */
  window_ns: number | null;
  /** By number of the function; none that was never called. */
  functions: ReadonlyMap<number, FunctionSeen>;
}>;

/**
 * What scripts/bpftrace/function-count.bt, function-latency.bt and function-stacks.bt print with
 * `-f json`. Keys begin with the number of the function; the stack is the last part of its key, a
 * frame per line. bpftrace 0.17 writes these lines with a newline, later ones with `\` and `n`.
 *
 *     {"type": "map", "data": {"@stacks": {"0,sleep,\n    hrtimer_nanosleep+5\n    do_syscall_64+132\n": 2}}}
 *     {"type": "printf", "data": "window_ns 1000007782\n"}
 */
export function parseFunctionTrace(text: string): FunctionTrace {
  const output = readBpftraceOutput(text);
  const stacks = stacksOf(output.map('@stacks'));
  const sums = output.stats('@latency_sum');
  const functions = [...output.map('@calls')].map(([key, calls]): [number, FunctionSeen] => {
    const stats = sums.get(key);
    const latency = stats && {
      stats,
      max_ns: output.map('@latency_max').get(key) ?? 0,
      buckets: (output.hist('@latency').get(key) ?? []).filter(({ count }) => count > 0),
    };
    return [Number(key), { calls, latency: latency ?? null, stacks: stacks.get(key) ?? [] }];
  });
  return { window_ns: windowOf(output.printed), functions: new Map(functions) };
}

function windowOf(printed: readonly string[]): number | null {
  const [, ns] = /^window_ns (\d{1,15})$/m.exec(printed.join('')) ?? [];
  return ns === undefined ? null : Number(ns);
}

/** The number has no comma; the name of the task may have any, and ends before the first frame. */
const stackKey = /^(\d{1,20}),([\s\S]{0,64}?),((?:\n {2}[^\n]*)*\n*)$/;

function stacksOf(values: ReadonlyMap<string, number>): ReadonlyMap<string, CallStack[]> {
  const stacks = new Map<string, CallStack[]>();
  for (const [key, count] of values) {
    const [, index, comm, lines] = stackKey.exec(key.replaceAll('\\n', '\n')) ?? [];
    if (index === undefined || comm === undefined || lines === undefined) continue;
    const frames = lines.split('\n').map((line) => line.trim());
    const stack = { comm, count, frames: frames.filter((frame) => frame !== '') };
    const known = stacks.get(index);
    if (known) known.push(stack);
    else stacks.set(index, [stack]);
  }
  return stacks;
}

/** The same as plain objects, for a file that came from another machine. */
export function parseFunctionTraceFile(text: string) {
  const { window_ns, functions } = parseFunctionTrace(text);
  return { window_ns, functions: Object.fromEntries(functions) };
}
