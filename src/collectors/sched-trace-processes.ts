import type { Distribution } from '../../parsers/distribution.ts';
import type {
  SchedProcesses,
  ThreadMoves,
  Wakes,
} from '../../parsers/sched-processes/sched-processes.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import { type Distances, distancesOf } from './migration-distances.ts';
import type { Places } from './process-row.ts';
import { type SchedTrace, traceWarnings } from './sched-trace.ts';
import { ownerOf, processName, threadsOf } from './thread-owners.ts';
import { addWaits, noWaits } from './wait-figures.ts';

export type BothWaits = Readonly<{ woken: Distribution; preempted: Distribution }>;

/** What was traced of each process, without those that measure. */
export type ProcessTrace = Readonly<{
  window_ms: number;
  lost_events: number;
  warnings: readonly string[];
  /** Of all processes together. */
  all: BothWaits;
  /** Of those that waited. */
  waits: ReadonlyMap<number, BothWaits>;
  /** Ranges of the waits of the one process that was asked for. */
  one: BothWaits;
  wakes: readonly Wakes[];
  wakesOf: ReadonlyMap<number, readonly Wakes[]>;
  movesOf: ReadonlyMap<number, readonly ThreadMoves[]>;
  /** Process of each thread that ended in the window. */
  ended: ReadonlyMap<number, number>;
  own: ReadonlySet<number>;
}>;

export function processTrace(
  trace: SchedTrace<SchedProcesses>,
  own: ReadonlySet<number>,
): ProcessTrace {
  const { figures, window_ms } = trace;
  const waits = new Map<number, BothWaits>();
  for (const { pid, woken, ...each } of figures.waits) {
    const known = waits.get(pid) ?? { woken: noWaits, preempted: noWaits };
    waits.set(pid, woken ? { ...known, woken: each } : { ...known, preempted: each });
  }
  const every = [...waits.values()];
  const all = {
    woken: { ...addWaits(every.map(({ woken }) => woken)), buckets: figures.all.woken.buckets },
    preempted: {
      ...addWaits(every.map(({ preempted }) => preempted)),
      buckets: figures.all.preempted.buckets,
    },
  };
  for (const pid of own) waits.delete(pid);
  const wakes = figures.wakes.filter(({ waker_pid }) => !own.has(waker_pid));
  return {
    window_ms,
    lost_events: figures.lost_events,
    warnings: traceWarnings(trace, all.woken.count + all.preempted.count),
    all,
    waits,
    one: figures.one,
    wakes,
    wakesOf: grouped(wakes, ({ woken_tid }) => woken_tid),
    movesOf: grouped(figures.moves, ({ tid }) => tid),
    ended: new Map(figures.ended.map(({ tid, pid }) => [tid, pid])),
    own,
  };
}

function grouped<T>(all: readonly T[], key: (each: T) => number): ReadonlyMap<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const each of all) {
    const group = groups.get(key(each));
    if (group) group.push(each);
    else groups.set(key(each), [each]);
  }
  return groups;
}

/** Who woke a process up, and how often. Process 0 is the idle task: an interrupt did it there. */
export type Waker = Readonly<{ pid: number; comm: string | null; wakeups: number }>;

export type ProcessFigures = BothWaits &
  Readonly<{
    migrations: Readonly<{ count: number }> & Distances;
    /** Most frequent first. */
    wakers: readonly Waker[];
  }>;

const wakers_shown = 3;

/** Of one process, with those of its threads that ended. */
export function figuresOf(
  trace: ProcessTrace,
  pid: number,
  files: HostFiles,
  places: Places,
): ProcessFigures {
  const gone = [...trace.ended].filter(([, owner]) => owner === pid).map(([tid]) => tid);
  const tids = [...new Set([...threadsOf(files, pid), ...gone])];
  const moves = tids.flatMap((tid) => trace.movesOf.get(tid) ?? []);
  const wakes = tids.flatMap((tid) => trace.wakesOf.get(tid) ?? []);
  const byWaker = [...grouped(wakes, ({ waker_pid }) => waker_pid)]
    .map(([waker, each]) => ({ pid: waker, wakeups: countOf(each) }))
    .sort((a, b) => b.wakeups - a.wakeups);
  return {
    ...(trace.waits.get(pid) ?? { woken: noWaits, preempted: noWaits }),
    migrations: { count: countOf(moves), ...distancesOf(places, moves) },
    wakers: byWaker.slice(0, wakers_shown).map((each) => ({
      pid: each.pid,
      comm: processName(files, each.pid),
      wakeups: each.wakeups,
    })),
  };
}

const countOf = (each: readonly Readonly<{ count: number }>[]): number =>
  each.reduce((sum, { count }) => sum + count, 0);

export type Pair = Readonly<{
  waker_pid: number;
  waker_comm: string | null;
  woken_pid: number;
  woken_comm: string | null;
  wakeups: number;
}>;

/** Threads of which the process is looked up, the most woken ones first. */
const most_lookups = 2000;

/** Which process woke which, most frequent first. Threads whose process is gone are left out. */
export function topPairs(trace: ProcessTrace, files: HostFiles, limit: number): readonly Pair[] {
  const owners = new Map(trace.ended);
  const byCount = trace.wakes.toSorted((a, b) => b.count - a.count);
  const sums = new Map<string, { waker_pid: number; woken_pid: number; wakeups: number }>();
  let lookups = 0;
  for (const { waker_pid, woken_tid, count } of byCount) {
    if (!owners.has(woken_tid)) {
      lookups += 1;
      if (lookups > most_lookups) continue;
      const owner = ownerOf(files, woken_tid);
      if (owner !== null) owners.set(woken_tid, owner);
    }
    const woken_pid = owners.get(woken_tid);
    if (woken_pid === undefined || trace.own.has(woken_pid)) continue;
    const key = `${waker_pid} ${woken_pid}`;
    const sum = sums.get(key);
    if (sum) sum.wakeups += count;
    else sums.set(key, { waker_pid, woken_pid, wakeups: count });
  }
  return [...sums.values()]
    .sort((a, b) => b.wakeups - a.wakeups)
    .slice(0, limit)
    .map(({ waker_pid, woken_pid, wakeups }) => ({
      waker_pid,
      waker_comm: processName(files, waker_pid),
      woken_pid,
      woken_comm: processName(files, woken_pid),
      wakeups,
    }));
}
