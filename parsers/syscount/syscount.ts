import {
  type BpftraceOutput,
  readBpftraceOutput,
  type TraceHealth,
} from '../bpftrace-json/bpftrace-output.ts';
import { type Distribution, distributionOf } from '../distribution.ts';

/** One system call, by its number on the machine that was traced. */
export type SyscallCounts = Readonly<{
  number: number;
  /** Calls that began; where only failed ones were wanted, those. */
  calls: number;
  /** Of calls that returned; null where times were not wanted. */
  took: Distribution | null;
  errors: readonly Readonly<{ errno: number; count: number }>[];
}>;

/** One system call of one task name of a process. */
export type TaskCalls = Readonly<{
  pid: number;
  comm: string;
  number: number;
  calls: number;
  total_ns: number | null;
}>;

export type SyscountOutput = Readonly<{
  health: TraceHealth;
  syscalls: readonly SyscallCounts[];
  tasks: readonly TaskCalls[];
}>;

const times = { hist: '@us', stats: '@ns', max: '@max_ns' };

/**
 * What scripts/bpftrace/syscount.bt prints; ranges of the histograms are microseconds.
 *
 *     {"type": "map", "data": {"@calls": {"34": 1, "110": 10000}}}
 *     {"type": "map", "data": {"@errors": {"257,-2": 5}}}
 */
export function parseSyscount(text: string): SyscountOutput {
  const output = readBpftraceOutput(text);
  const began = output.map('@calls');
  // Only failed calls were wanted: those are counted at their return.
  const calls = began.size > 0 ? began : output.map('@returns');
  const timed = output.stats(times.stats).size > 0;
  const errors = errorsByCall(output);
  const numbered = [...calls].filter(([key]) => /^-?\d{1,10}$/.test(key));
  const syscalls = numbered.map(([key, count]) => ({
    number: Number(key),
    calls: count,
    took: timed ? distributionOf(output, times, key) : null,
    errors: errors.get(Number(key)) ?? [],
  }));
  return { health: output.health, syscalls, tasks: taskCalls(output) };
}

function errorsByCall(output: BpftraceOutput): ReadonlyMap<number, SyscallCounts['errors']> {
  const byCall = new Map<number, { errno: number; count: number }[]>();
  for (const [key, count] of output.map('@errors')) {
    const [, call, returned] = /^(-?\d{1,10}),(-?\d{1,10})$/.exec(key) ?? [];
    if (call === undefined) continue;
    const [number, result] = [Number(call), Number(returned)];
    const known = byCall.get(number) ?? [];
    byCall.set(number, known);
    known.push({ errno: -result, count });
  }
  return byCall;
}

/** A name may hold commas: the numbers stand before and after it. */
function taskCalls(output: BpftraceOutput): readonly TaskCalls[] {
  const took = output.stats('@task_ns');
  return [...output.map('@task_calls')].flatMap(([key, calls]) => {
    const [, pid, comm, number] = /^(\d{1,10}),(.*),(-?\d{1,10})$/s.exec(key) ?? [];
    if (pid === undefined || comm === undefined) return [];
    const total_ns = took.get(key)?.total ?? null;
    return [{ pid: Number(pid), comm, number: Number(number), calls, total_ns }];
  });
}
