import type { StreamEvent } from '../../../parsers/stream/stream.ts';
import { text } from './ftrace-event.ts';
import type { TraceProcess, TraceThread } from './packets.ts';

/** Which thread is of which process, as far as events tell. */
export type ProcessNames = Readonly<{
  see(event: StreamEvent): void;
  /** Threads and processes seen since the last call. */
  take(): Readonly<{ threads: readonly TraceThread[]; processes: readonly TraceProcess[] }>;
  /** The process of a thread; null where no event told. */
  processOf(tid: number): number | null;
}>;

/** What an event may say of a process that is there; null where it is gone. */
export type DescribeProcess = (pid: number) => TraceProcess | null;

/** The tasks that events name: their id, process and name. */
const named = [
  ['prev_pid', 'prev_tgid', 'prev_comm'],
  ['next_pid', 'next_tgid', 'next_comm'],
  ['waker_pid', 'waker_tgid', 'waker_comm'],
  ['pid', 'tgid', 'comm'],
] as const;

/** A process runs so many threads at most that names of them are worth their bytes. */
const most_threads = 200_000;

export function processNames(describe: DescribeProcess): ProcessNames {
  const process_of = new Map<number, number>();
  let threads: TraceThread[] = [];
  let fresh = new Set<number>();
  const described = new Set<number>();

  function learn(tid: unknown, tgid: unknown, comm: unknown): void {
    if (typeof tid !== 'number' || typeof tgid !== 'number' || tid === 0) return;
    if (process_of.get(tid) === tgid || process_of.size >= most_threads) return;
    process_of.set(tid, tgid);
    threads.push({ tid, tgid, name: text(comm) });
    if (!described.has(tgid)) fresh.add(tgid);
  }

  return {
    see(event) {
      // The event itself tells readers of the new thread; its number may have been another's before.
      if (event.type === 'fork') {
        const { child_pid, child_tgid } = event;
        if (typeof child_pid !== 'number' || typeof child_tgid !== 'number') return;
        process_of.set(child_pid, child_tgid);
        if (child_pid === child_tgid) fresh.add(child_pid);
        return;
      }
      // After exec a process has another command line.
      if (event.type === 'exec' && typeof event['tgid'] === 'number') fresh.add(event['tgid']);
      for (const [tid, tgid, comm] of named) learn(event[tid], event[tgid], event[comm]);
    },
    take() {
      const processes = [...fresh].flatMap((pid) => {
        described.add(pid);
        return describe(pid) ?? [];
      });
      const taken = { threads, processes };
      threads = [];
      fresh = new Set();
      return taken;
    },
    processOf: (tid) => process_of.get(tid) ?? null,
  };
}
