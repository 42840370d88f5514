import type { Call, Context } from '../context.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { standingThreads, waitsFromBefore } from './blocked-throughout.ts';
import { boundedTrace, fixOfBest, type SkippedMethod, traceParts } from './bounded-trace.ts';
import { offcpuCapture } from './offcpu-capture.ts';
import { type OffcpuFigures, offcpuFigures } from './offcpu-figures.ts';
import { type OffcpuTrace, offcpuRungs } from './offcpu-rungs.ts';
import { type Kept, tryToKeep } from './profile-captures.ts';
import { tracedProcess } from './traced-process.ts';

type Query = Readonly<{
  duration_seconds: number;
  pid?: number | undefined;
  min_block_us: number;
  kernel_stacks: boolean;
  user_stacks: boolean;
  /** The profile is kept, for its views to be asked for. */
  keep?: boolean;
  /** Its flame graph goes into the answer. */
  picture?: boolean;
}>;

export type OffcpuProfile = Readonly<{
  method: string | null;
  skipped_methods: readonly SkippedMethod[];
  duration_seconds: number;
  pid?: number;
}> &
  Partial<Kept> &
  OffcpuFigures;

/**
 * What threads waited for that were off the CPU and could not run. Without idle CPUs, workers of the
 * kernel that wait for work, and this server.
 *
 * @throws TracewrightError PID_NOT_FOUND, PROFILER_BUSY
 */
export async function collectOffcpuProfile(
  ctx: Context,
  query: Query,
  call: Call,
): Promise<Reading<OffcpuProfile>> {
  const process = query.pid === undefined ? null : tracedProcess(ctx, query.pid);
  const duration_ms = query.duration_seconds * 1000;
  const { min_block_us, user_stacks } = query;
  const pid = process?.pid ?? null;
  let standing = standingThreads(ctx, pid);
  const rungs = offcpuRungs(ctx, { duration_ms, pid, min_block_us, user_stacks }, () => {
    standing = standingThreads(ctx, pid);
  });
  const result = await boundedTrace(ctx, { kind: 'off-CPU', duration_ms, rungs }, call);
  const { method, unavailable, ...parts } = traceParts(result, 'blocked time');
  const window_ms = parts.window_ms ?? duration_ms;
  const traced = result.traced?.value ?? null;
  // Sampling sees those too.
  const before =
    traced === null || method === 'procfs_sampling'
      ? null
      : waitsFromBefore(ctx, standing, traced, window_ms);
  const trace = traced && before ? withEarlier(traced, before, min_block_us) : traced;
  const { lost_events: lost = 0, warnings } = parts;
  const whose = process === null ? 'all threads' : `process ${process.pid} (${process.comm})`;
  const keeping =
    query.keep && trace
      ? await tryToKeep(
          ctx,
          offcpuCapture(trace, { duration_ms: window_ms, lost, warnings }),
          `Blocked time of ${whose}`,
          query.picture,
        )
      : null;
  const data: OffcpuProfile = {
    method,
    skipped_methods: result.skipped,
    duration_seconds: query.duration_seconds,
    ...(pid === null ? {} : { pid }),
    ...offcpuFigures(trace, query),
    ...keeping?.kept,
  };
  return {
    data,
    ...parts,
    warnings: [...warnings, ...(keeping?.warnings ?? [])],
    links: keeping?.links ?? [],
    picture: keeping?.picture,
    summary: inWords(data, process?.comm ?? null, window_ms),
    unavailable: [...unavailable, ...gaps(data)],
  };
}

function withEarlier(
  trace: OffcpuTrace,
  { waits, still }: ReturnType<typeof waitsFromBefore>,
  min_block_us: number,
): OffcpuTrace {
  const { blocked, still_waiting } = trace;
  return {
    ...trace,
    blocked: [...blocked, ...waits.filter(({ total_us }) => total_us >= min_block_us)],
    still_waiting: still_waiting === null ? null : still_waiting + still,
  };
}

function gaps({
  method,
  skipped_methods,
  top_blockers,
  still_waiting,
}: OffcpuProfile): readonly Unavailable[] {
  if (top_blockers === null || still_waiting !== null) return [];
  return [
    {
      what: 'waits, max_us, state, still_waiting',
      reason: `${method} tells sums of waits only.`,
      fix: fixOfBest(skipped_methods),
    },
  ];
}

function inWords(data: OffcpuProfile, comm: string | null, window_ms: number): string[] {
  const { total_blocked_ms, by_wait_type, top_blockers, by_process, method } = data;
  if (total_blocked_ms === null) return ['Blocked time could not be measured: see unavailable.'];
  const whose = comm === null ? 'all threads' : `process ${data.pid} (${comm})`;
  const types = (by_wait_type ?? [])
    .slice(0, 5)
    .map((each) => `${each.wait_type} ${each.percent} %`);
  const [first] = top_blockers ?? [];
  const processes = (by_process ?? []).slice(0, 3);
  const named = processes.map((each) => `${each.comm} (${each.pid}) ${each.blocked_ms} ms`);
  return [
    `${whose}: ${total_blocked_ms} ms blocked in ${window_ms} ms (${method}), summed over threads.`,
    ...(types.length > 0 ? [`By kind of wait: ${types.join(', ')}.`] : []),
    ...(first ? [`Most in ${first.function} (${first.wait_type}): ${first.blocked_ms} ms.`] : []),
    ...(comm === null && named.length > 0 ? [`Most blocked: ${named.join(', ')}.`] : []),
  ];
}
