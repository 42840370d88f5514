import { ParseError } from '../../parsers/parsed.ts';
import { isKernelThread, parsePidStat } from '../../parsers/pid-stat/pid-stat.ts';
import type { Call, Context } from '../context.ts';
import type { Measured, Rung } from './bounded-trace.ts';
import type { Blocked, OffcpuQuery, OffcpuTrace } from './offcpu-rungs.ts';
import { threadIds } from './process-scan.ts';
import { ownPid } from './traced-process.ts';

const look_ms = 50;
/** A look at this many threads takes a fraction of the time between two. */
const max_threads = 500;

/**
 * The last resort: looks at the state of threads twenty times a second, and counts each look as the
 * time to the next. Without a pid the first threads of processes only.
 */
export function offcpuFromProcfs(ctx: Context, query: OffcpuQuery): Rung<OffcpuTrace> {
  return {
    method: 'procfs_sampling',
    obstacle: () => null,
    measure: (call) => measure(ctx, query, call),
  };
}

type Look = Readonly<{ pid: number; tid: number; comm: string; state: string; where: string }>;
type Tally = { look: Look; looks: number };

async function measure(
  ctx: Context,
  query: OffcpuQuery,
  call: Call,
): Promise<Measured<OffcpuTrace>> {
  const own = ownPid(ctx);
  const started_ms = ctx.monotonicMs();
  const places = new Map<string, Tally>();
  let looks = 0;
  let most = 0;
  for (let left_ms = query.duration_ms; left_ms > 0; ) {
    const tasks = tasksOf(ctx, query.pid, own);
    most = Math.max(most, tasks.length);
    for (const [pid, tid] of tasks.slice(0, max_threads)) {
      const look = lookAt(ctx, pid, tid);
      if (look === null) continue;
      const key = `${tid} ${look.state} ${look.where}`;
      const tally = places.get(key) ?? { look, looks: 0 };
      tally.looks += 1;
      places.set(key, tally);
    }
    looks += 1;
    await ctx.sleep(Math.min(look_ms, left_ms), call.signal);
    left_ms = started_ms + query.duration_ms - ctx.monotonicMs();
  }
  const window_ms = Math.round(ctx.monotonicMs() - started_ms);
  const each_us = (window_ms * 1000) / Math.max(1, looks);
  return {
    value: {
      blocked: [...places.values()].map((tally) => blocked(tally, each_us)),
      back_us: null,
      from_ns: null,
      still_waiting: null,
    },
    source: '/proc/PID/task/TID/stat, /proc/PID/task/TID/wchan',
    window_ms,
    lost_events: null,
    warnings: [
      `Estimated from ${looks} looks at the state of threads: short waits are missed, stacks are not seen.`,
      ...(most > max_threads ? [`${max_threads} of ${most} threads were looked at.`] : []),
    ],
  };
}

const blocked = ({ look, looks }: Tally, each_us: number): Blocked => ({
  pid: look.pid,
  tid: look.tid,
  comm: look.comm,
  state: look.state,
  kernel: look.where === '' ? [] : [look.where],
  user: [],
  waits: null,
  total_us: looks * each_us,
  max_us: null,
});

function tasksOf(
  { files }: Context,
  pid: number | null,
  own: number | null,
): readonly (readonly [number, number])[] {
  if (pid !== null) return threadIds(files, pid).map((tid) => [pid, tid] as const);
  const pids = (files.list('/proc') ?? []).map(Number).filter(Number.isSafeInteger);
  return pids.filter((each) => each !== own).map((each) => [each, each] as const);
}

/** A thread that is blocked; workers of the kernel without work (I) and ended tasks are not. */
function lookAt({ files }: Context, pid: number, tid: number): Look | null {
  const file = files.read(`/proc/${pid}/task/${tid}/stat`, 4096);
  if (!file.ok) return null;
  try {
    const { comm, state, flags } = parsePidStat(file.text);
    if (!/[SDTt]/.test(state) || (isKernelThread(flags) && state === 'S')) return null;
    // "0" where the kernel does not tell it to us.
    const where = files.text(`/proc/${pid}/task/${tid}/wchan`)?.trim() ?? '';
    return { pid, tid, comm, state, where: where === '0' ? '' : where };
  } catch (error) {
    if (error instanceof ParseError) return null;
    throw error;
  }
}
