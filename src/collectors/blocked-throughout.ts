import { ParseError } from '../../parsers/parsed.ts';
import { parsePidStat } from '../../parsers/pid-stat/pid-stat.ts';
import { parsePidStatus } from '../../parsers/pid-status/pid-status.ts';
import type { Context } from '../context.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Blocked, OffcpuTrace } from './offcpu-rungs.ts';
import { threadIds } from './process-scan.ts';

/** A thread that does not run, and how often it was switched out until now. */
type Standing = Readonly<{
  pid: number;
  comm: string;
  state: string;
  switches: number;
  kernel: readonly string[];
}>;
export type StandingThreads = Readonly<{
  /** Monotonic. */
  at_ns: number;
  threads: ReadonlyMap<number, Standing>;
}>;

const max_threads = 512;

/**
 * Threads that are blocked at this moment: of one process, or with `pid` null those of the host that
 * no signal wakes (state D), since all others may be idle services.
 */
export function standingThreads(ctx: Context, pid: number | null): StandingThreads {
  const { files } = ctx;
  const standing = new Map<number, Standing>();
  const tasks =
    pid === null
      ? (files.list('/proc') ?? []).map(Number).filter(Number.isSafeInteger).map(alone)
      : threadIds(files, pid)
          .slice(0, max_threads)
          .map((tid) => [pid, tid] as const);
  const wanted = pid === null ? /D/ : /[SDTt]/;
  for (const [process, tid] of tasks) {
    const found = standingThread(files, process, tid, wanted);
    if (found) standing.set(tid, found);
  }
  return { at_ns: ctx.monotonicNs(), threads: standing };
}

const alone = (pid: number): readonly [number, number] => [pid, pid];

/**
 * What a tracer of switches sees nothing of: the waits of threads that were blocked when the window
 * began. `back_us` tells, where it is known, when each came back; one that was never switched in since
 * waited all of the window.
 */
export function waitsFromBefore(
  ctx: Context,
  standing: StandingThreads,
  { back_us, from_ns }: Pick<OffcpuTrace, 'back_us' | 'from_ns'>,
  window_ms: number,
): Readonly<{ waits: readonly Blocked[]; still: number }> {
  let still = 0;
  // What came back before we looked was in another wait when we did.
  const looked_us = from_ns === null ? 0 : (standing.at_ns - from_ns) / 1000;
  const waits = [...standing.threads].flatMap(([tid, then]): Blocked[] => {
    const back = back_us?.get(tid);
    if (back !== undefined && back < looked_us) return [];
    const now = back === undefined ? standingThread(ctx.files, then.pid, tid, /[SDTt]/) : null;
    const throughout = now?.switches === then.switches;
    if (back === undefined && !throughout) return [];
    if (throughout) still += 1;
    const us = Math.min(back ?? window_ms * 1000, window_ms * 1000);
    const { pid, comm, state, kernel } = then;
    return [{ pid, tid, comm, state, kernel, user: [], waits: 1, total_us: us, max_us: us }];
  });
  return { waits, still };
}

function standingThread(
  files: HostFiles,
  pid: number,
  tid: number,
  wanted: RegExp,
): Standing | null {
  const stat = files.read(`/proc/${pid}/task/${tid}/stat`, 4096);
  if (!stat.ok) return null;
  try {
    const { comm, state } = parsePidStat(stat.text);
    if (!wanted.test(state)) return null;
    const { data } = parsePidStatus(files.text(`/proc/${pid}/task/${tid}/status`) ?? '');
    const { voluntary_switches, involuntary_switches } = data;
    if (voluntary_switches === null || involuntary_switches === null) return null;
    const switches = voluntary_switches + involuntary_switches;
    return { pid, comm, state, switches, kernel: kernelStack(files, pid, tid) };
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}

/** "[<0>] futex_do_wait+0x46/0x80", innermost first; for root. Else the one function of wchan. */
function kernelStack(files: HostFiles, pid: number, tid: number): readonly string[] {
  const text = files.text(`/proc/${pid}/task/${tid}/stack`) ?? '';
  const frames = [...text.matchAll(/^\[<[0-9a-f]+>\] (\S+?)\+0x/gm)].map(([, name = '']) => name);
  if (frames.length > 0) return frames;
  const where = files.text(`/proc/${pid}/task/${tid}/wchan`)?.trim() ?? '';
  return where === '' || where === '0' ? [] : [where];
}
