import { untrusted } from '../../parsers/untrusted.ts';
import { type WaitType, waitOf } from '../analysis/wait-type.ts';
import type { Blocked, OffcpuTrace } from './offcpu-rungs.ts';
import { percent, round } from './rates.ts';

export type Blocker = Readonly<{
  function: string;
  wait_type: WaitType;
  blocked_us: number;
  blocked_ms: number;
  percent: number | null;
  waits: number | null;
}>;

export type BlockedKind = Readonly<{
  wait_type: WaitType;
  blocked_ms: number;
  percent: number | null;
  waits: number | null;
}>;

export type BlockedProcess = Readonly<{
  pid: number | null;
  comm: string;
  blocked_ms: number;
  waits: number | null;
  /** What it waited for most. */
  wait_type: WaitType;
}>;

export type BlockedStack = Readonly<{
  /** Innermost first. */
  stack: readonly string[];
  blocked_us: number;
  waits: number | null;
  max_us: number | null;
  pid: number | null;
  comm: string;
  /** That wait there; null where they are not told apart. */
  threads: number | null;
  state: string | null;
  wait_type: WaitType;
}>;

/** All null where nothing could be traced. */
export type OffcpuFigures = Readonly<{
  /** Sum over all threads: more than the window where several wait at once. */
  total_blocked_us: number | null;
  total_blocked_ms: number | null;
  top_blockers: readonly Blocker[] | null;
  by_wait_type: readonly BlockedKind[] | null;
  by_process: readonly BlockedProcess[] | null;
  sample_stacks: readonly BlockedStack[] | null;
  /** Threads that had not come back at the end of the window. */
  still_waiting: number | null;
  notes: readonly string[];
}>;

type Shown = Readonly<{ kernel_stacks: boolean; user_stacks: boolean }>;

const max_blockers = 15;
const max_processes = 10;
const max_stacks = 10;
const max_frames = 24;

type Told = Blocked & Readonly<{ wait_type: WaitType; function: string }>;

const nothing: OffcpuFigures = {
  total_blocked_us: null,
  total_blocked_ms: null,
  top_blockers: null,
  by_wait_type: null,
  by_process: null,
  sample_stacks: null,
  still_waiting: null,
  notes: [],
};

/** Sums by kind of wait, function and process, and the heaviest stacks. */
export function offcpuFigures(trace: OffcpuTrace | null, shown: Shown): OffcpuFigures {
  if (trace === null) return nothing;
  const told = trace.blocked.map((each): Told => {
    const { type, function: name } = waitOf([...each.kernel, ...each.user]);
    return { ...each, wait_type: type, function: name };
  });
  // A worker of the kernel that waits for work is idle.
  const waits = told.filter(({ wait_type }) => wait_type !== 'kernel_thread');
  const total = sumOf(waits);
  const types = grouped(waits, ({ wait_type }) => wait_type);
  const functions = grouped(waits, (each) => `${each.wait_type} ${each.function}`);
  return {
    total_blocked_us: round(total, 0),
    total_blocked_ms: round(total / 1000, 2),
    top_blockers: functions.slice(0, max_blockers).map((group) => ({
      function: untrusted(group.first.function, 100),
      wait_type: group.first.wait_type,
      blocked_us: round(group.total_us, 0),
      blocked_ms: round(group.total_us / 1000, 2),
      percent: percent(group.total_us, total),
      waits: group.waits,
    })),
    by_wait_type: types.map((group) => ({
      wait_type: group.first.wait_type,
      blocked_ms: round(group.total_us / 1000, 2),
      percent: percent(group.total_us, total),
      waits: group.waits,
    })),
    by_process: grouped(waits, ({ pid, comm }) => `${pid ?? comm}`)
      .slice(0, max_processes)
      .map((group) => ({
        pid: group.first.pid,
        comm: untrusted(group.first.comm, 64),
        blocked_ms: round(group.total_us / 1000, 2),
        waits: group.waits,
        wait_type:
          grouped(group.members, ({ wait_type }) => wait_type)[0]?.first.wait_type ?? 'other',
      })),
    sample_stacks: grouped(waits, placeOf)
      .slice(0, max_stacks)
      .map((group) => stackRow(group, shown)),
    still_waiting: trace.still_waiting,
    notes: notesOf(types, total),
  };
}

type Group = Readonly<{
  /** The heaviest. */
  first: Told;
  members: readonly Told[];
  total_us: number;
  waits: number | null;
}>;

/** By key, the group with the most blocked time first. */
function grouped(waits: readonly Told[], keyOf: (each: Told) => string): readonly Group[] {
  const groups = new Map<string, [Told, ...Told[]]>();
  const heaviestFirst = [...waits].sort((a, b) => b.total_us - a.total_us);
  for (const each of heaviestFirst) {
    const known = groups.get(keyOf(each));
    if (known) known.push(each);
    else groups.set(keyOf(each), [each]);
  }
  return [...groups.values()]
    .map((members) => ({
      first: members[0],
      members,
      total_us: sumOf(members),
      waits: members.reduce<number | null>(
        (sum, each) => (sum === null || each.waits === null ? null : sum + each.waits),
        0,
      ),
    }))
    .sort((a, b) => b.total_us - a.total_us);
}

const sumOf = (waits: readonly Told[]): number =>
  waits.reduce((sum, { total_us }) => sum + total_us, 0);

const placeOf = ({ pid, comm, state, kernel, user }: Told): string =>
  [pid ?? comm, state, ...kernel, '', ...user].join('\n');

function stackRow({ first, members, total_us, waits }: Group, shown: Shown): BlockedStack {
  const longest = Math.max(...members.map(({ max_us }) => max_us ?? 0));
  const tids = new Set(members.map(({ tid }) => tid));
  return {
    stack: stackOf(first, shown),
    blocked_us: round(total_us, 0),
    waits,
    max_us: first.max_us === null ? null : round(longest, 0),
    pid: first.pid,
    comm: untrusted(first.comm, 64),
    threads: first.tid === null ? null : tids.size,
    state: first.state,
    wait_type: first.wait_type,
  };
}

function stackOf({ kernel, user }: Told, shown: Shown): readonly string[] {
  const frames = [...(shown.kernel_stacks ? kernel : []), ...(shown.user_stacks ? user : [])].map(
    (frame) => untrusted(frame, 100),
  );
  if (frames.length <= max_frames) return frames;
  return [...frames.slice(0, max_frames), `… ${frames.length - max_frames} more`];
}

const meaning: Partial<Record<WaitType, string>> = {
  lock: 'Threads wait for locks or for each other (futex, mutex, semaphore).',
  disk_io: 'Threads wait for disks: perf_bio_latency and perf_io_latency tell how slow they are.',
  memory: 'Threads wait for memory: the kernel reclaims it first.',
  cpu_quota: 'Threads wait for the CPU quota of their cgroup: perf_cgroup_summary tells how much.',
};

function notesOf(types: readonly Group[], total: number): readonly string[] {
  return types.flatMap(({ first, total_us }) => {
    const share = percent(total_us, total) ?? 0;
    const words = meaning[first.wait_type];
    return words === undefined || share < 1 ? [] : [`${share} % ${first.wait_type}: ${words}`];
  });
}
