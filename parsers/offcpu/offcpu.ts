import { readBpftraceOutput, type TraceHealth } from '../bpftrace-json/bpftrace-output.ts';
import { readFrames, readNames, readStacks, type Stacks } from '../bpftrace-json/stack-keys.ts';

/** Waits of one thread in one place. Frames are innermost first. */
export type BlockedStack = Readonly<{
  pid: number;
  tid: number;
  /** S sleeps, D sleeps and no signal wakes it, T is stopped, t is traced, P is parked. */
  state: string;
  kernel: readonly string[];
  user: readonly string[];
  count: number;
  total_ns: number;
  /** Of all waits of this thread in this place of the kernel; null where there was no room for it. */
  max_ns: number | null;
}>;

/** A task that had not come back at the end. */
export type WaitingTask = Readonly<{
  tid: number;
  pid: number;
  state: string;
  kernel: readonly string[];
  waited_ns: number;
}>;

export type OffcpuOutput = Readonly<{
  health: TraceHealth;
  stacks: readonly BlockedStack[];
  /** Null where the program did not tell when it ended. */
  waiting: readonly WaitingTask[] | null;
  /** By tid, of tasks that had left the CPU before: when they came back, since the window began. */
  back_ns: ReadonlyMap<number, number>;
  /** Monotonic time at which the window began; null where it did not. */
  from_ns: number | null;
  /** Name of each process: that of the thread that waited most often. */
  names: ReadonlyMap<number, string>;
}>;

/** TASK_* of include/linux/sched.h as sched_switch tells them. */
const states: Readonly<Record<number, string>> = { 1: 'S', 2: 'D', 4: 'T', 8: 't', 64: 'P' };

/**
 * What scripts/bpftrace/offcpu.bt prints. A key is "pid,tid,state,kernel stack" or that and the stack of
 * the program, see readStacks.
 *
 *     {"type": "stats", "data": {"@user_blocked_ns": {"27281,27323,1,\n    __schedule+1560\n    …\n,\n    …\n": {…}}}}
 *     {"type": "map", "data": {"@since": {"27325": 14721491518999}}}
 */
export function parseOffcpu(text: string): OffcpuOutput {
  const output = readBpftraceOutput(text);
  const from_ns = output.map('@from').get('') ?? null;
  const with_user = output.stats('@user_blocked_ns');
  const sums = with_user.size > 0 ? with_user : output.stats('@blocked_ns');
  const longest = longestByPlace(output.map('@max_ns'));
  const stacks = [...sums].flatMap(([key, { count, total }]) => {
    const place = readPlace(key);
    if (place === null) return [];
    return [{ ...place, count, total_ns: total, max_ns: longest.get(placeKey(place)) ?? null }];
  });
  return {
    health: output.health,
    stacks,
    waiting: waitingTasks(output),
    back_ns: new Map(
      [...output.map('@back')]
        .filter(([tid]) => isId(tid))
        .map(([tid, at]) => [Number(tid), Math.max(0, at - (from_ns ?? at))]),
    ),
    from_ns,
    names: readNames(output.map('@names')),
  };
}

type Place = Readonly<{ pid: number; tid: number; state: string }> & Stacks;

function readPlace(key: string): Place | null {
  const [, pid, tid, state, rest = ''] = /^(\d{1,10}),(\d{1,10}),(\d{1,20}),(.*)$/s.exec(key) ?? [];
  if (pid === undefined) return null;
  const numbers = { pid: Number(pid), tid: Number(tid), state: stateName(Number(state)) };
  return { ...numbers, ...readStacks(rest) };
}

/** Maxima are kept by stack of the kernel alone. */
const placeKey = ({ tid, state, kernel }: Place): string => [tid, state, ...kernel].join(' ');

function longestByPlace(longest: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const byPlace = new Map<string, number>();
  for (const [key, max_ns] of longest) {
    const place = readPlace(key);
    if (place === null) continue;
    const known = byPlace.get(placeKey(place)) ?? 0;
    byPlace.set(placeKey(place), Math.max(known, max_ns));
  }
  return byPlace;
}

function waitingTasks(
  output: ReturnType<typeof readBpftraceOutput>,
): readonly WaitingTask[] | null {
  const until = output.map('@until').get('');
  if (until === undefined) return null;
  const stacks = output.texts('@kernel_stack');
  const since_by_tid = [...output.map('@since')].filter(([tid]) => isId(tid));
  return since_by_tid.map(([tid, since]) => ({
    tid: Number(tid),
    pid: output.map('@process').get(tid) ?? 0,
    state: stateName(output.map('@state').get(tid) ?? 0),
    kernel: readFrames(stacks.get(tid) ?? ''),
    waited_ns: Math.max(0, until - since),
  }));
}

const isId = (text: string): boolean => /^\d{1,10}$/.test(text);

const stateName = (bits: number): string => states[bits & -bits] ?? '?';
