import type { PidSchedstat } from '../../parsers/pid-schedstat/pid-schedstat.ts';
import type { ProcessScan, ScannedProcess } from './process-scan.ts';

/** USER_HZ, what /proc counts CPU time in on every architecture that Node runs on. */
const ms_per_tick = 10;

/** What a process did between two scans. */
export type ProcessUse = Readonly<{
  /** As the second scan found it. */
  now: ScannedProcess;
  /** Between its own two reads. */
  window_ms: number;
  started_in_window: boolean;
  runtime_ms: number;
  user_ms: number;
  system_ms: number;
  /** Null where the scans did not read it. */
  waited: Waited | null;
}>;

/** Time that threads were ready to run and had no CPU, and how many waits that was. */
export type Waited = Readonly<{ wait_ns: number; samples: number }>;

export type ScanComparison = Readonly<{
  uses: readonly ProcessUse[];
  started: number;
  ended: number;
}>;

/**
 * Processes of the second scan with their use since the first. One that has the pid of another but
 * not its start time is a new process; one that the first scan could not read has no window and is
 * left out.
 */
export function compareScans(before: ProcessScan, after: ProcessScan): ScanComparison {
  const uses: ProcessUse[] = [];
  let started = 0;
  // A scan that came upon too many threads has the waits of some processes only.
  const waits = before.waits && after.waits;
  for (const now of after.processes.values()) {
    const then = before.processes.get(now.pid);
    if (then === undefined && before.unreadable.has(now.pid)) continue;
    const use = compareProcess(then, now, before.started_ms, waits);
    if (use.started_in_window) started++;
    uses.push(use);
  }
  const survivors = uses.length - started;
  return { uses, started, ended: before.processes.size - survivors };
}

/** The use of one process; `then` may be undefined or another process that had its pid before. */
export function compareProcess(
  then: ScannedProcess | undefined,
  now: ScannedProcess,
  windowStart_ms: number,
  waits: boolean,
): ProcessUse {
  const same = then?.starttime_ticks === now.starttime_ticks ? then : undefined;
  const user_ms = (now.utime_ticks - (same?.utime_ticks ?? 0)) * ms_per_tick;
  const system_ms = (now.stime_ticks - (same?.stime_ticks ?? 0)) * ms_per_tick;
  const threads = compareThreads(same, now);
  return {
    now,
    window_ms: now.at_ms - (same?.at_ms ?? windowStart_ms),
    started_in_window: same === undefined,
    runtime_ms: runtime(threads, user_ms + system_ms),
    user_ms,
    system_ms,
    waited: waits && threads ? { wait_ns: threads.wait_ns, samples: threads.timeslices } : null,
  };
}

/**
 * schedstat counts nanoseconds, but of living threads only; the ticks include ended ones. Ticks that
 * lead by more than their rounding (user and system one each) tell of threads that ended meanwhile.
 */
function runtime(threads: PidSchedstat | null, ticked_ms: number): number {
  if (threads === null) return ticked_ms;
  const run_ms = threads.run_ns / 1e6;
  return ticked_ms > run_ms + 2 * ms_per_tick ? ticked_ms : run_ms;
}

function compareThreads(
  then: ScannedProcess | undefined,
  now: ScannedProcess,
): PidSchedstat | null {
  if (now.schedstats === null || (then !== undefined && then.schedstats === null)) return null;
  let run_ns = 0;
  let wait_ns = 0;
  let timeslices = 0;
  for (const [tid, current] of now.schedstats) {
    const earlier = then?.schedstats?.get(tid);
    // A thread that ran less than before is a new one with the id of an ended one.
    const base = earlier && earlier.run_ns <= current.run_ns ? earlier : undefined;
    run_ns += current.run_ns - (base?.run_ns ?? 0);
    wait_ns += current.wait_ns - (base?.wait_ns ?? 0);
    timeslices += current.timeslices - (base?.timeslices ?? 0);
  }
  return { run_ns, wait_ns, timeslices };
}
