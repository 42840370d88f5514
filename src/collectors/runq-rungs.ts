import type { TraceToolFamily } from '../../allowlist/trace-tool.ts';
import { addDistributions, type Distribution } from '../../parsers/distribution.ts';
import { type Log2Table, parseLog2Hist } from '../../parsers/log2-hist/log2-hist.ts';
import { parseRunqlat, type RunqlatGroup } from '../../parsers/runqlat/runqlat.ts';
import type { Call, Context } from '../context.ts';
import type { Measured, Rung } from './bounded-trace.ts';
import { bpftraceRung } from './bpftrace-rung.ts';
import { perfEventsRung } from './perf-events-rung.ts';
import { scanProcesses } from './process-scan.ts';
import { compareScans } from './process-use.ts';
import { runqFold } from './runq-from-events.ts';
import { traceToolRung } from './trace-tool-rung.ts';

export type RunqQuery = Readonly<{
  duration_ms: number;
  /** A process; null: all. */
  pid: number | null;
  group: 'none' | 'process' | 'pid_namespace';
  unit: 'us' | 'ms';
}>;

/** Waits for a CPU; groups are processes or PID namespaces. */
export type RunqWaits = Readonly<{
  all: Distribution;
  groups: readonly RunqlatGroup[];
  /** The source knows no spread: there is no histogram, not even an empty one. */
  sums_only?: true;
}>;

const tracepoints = ['sched:sched_wakeup', 'sched:sched_wakeup_new', 'sched:sched_switch'];
const namespaces = { reason: 'It does not tell PID namespaces apart.', fix: null };
const nothing: Distribution = { buckets: [], count: 0, total_ns: 0, max_ns: 0 };

/** How waits for a CPU can be measured, best first. */
export function runqRungs(ctx: Context, query: RunqQuery): readonly Rung<RunqWaits>[] {
  return [
    bpftraceRunqlat(ctx, query),
    runqlatTool(ctx, 'libbpf', query),
    runqlatTool(ctx, 'bcc', query),
    perfEventsRung(ctx, {
      method: 'perf_sched',
      events: ['sched:sched_switch', 'sched:sched_wakeup', 'sched:sched_wakeup_new'],
      stacks: false,
      duration_ms: query.duration_ms,
      lacks: query.group === 'pid_namespace' ? namespaces : null,
      fold: () => runqFold(query),
    }),
    procfsWaits(ctx, query),
  ];
}

function bpftraceRunqlat(ctx: Context, { duration_ms, pid, group, unit }: RunqQuery) {
  const by_namespace = group === 'pid_namespace';
  return bpftraceRung(ctx, {
    script: by_namespace ? 'runqlat-pidns' : 'runqlat',
    duration_ms,
    parameters: [
      unit === 'us' ? 1000 : 1_000_000,
      pid ?? 0,
      ...(by_namespace ? [] : [group === 'process' ? 1 : 0]),
    ],
    needs: { tracepoints, btf: by_namespace, pid: pid !== null },
    task_keys: group === 'none',
    parse: parseRunqlat,
  });
}

function runqlatTool(ctx: Context, family: TraceToolFamily, query: RunqQuery): Rung<RunqWaits> {
  const { duration_ms, pid, group, unit } = query;
  return traceToolRung(ctx, {
    family,
    tool: 'runqlat',
    args: [
      ...(pid === null ? [] : [['-p', pid] as const]),
      ...(unit === 'ms' ? ['-m'] : []),
      ...(group === 'process' ? ['-P'] : []),
      ...(group === 'pid_namespace' ? ['--pidnss'] : []),
      ...[Math.ceil(duration_ms / 1000), 1],
    ],
    duration_ms,
    needs: { tracepoints, pid: pid !== null },
    parse: (text) => fromTables(parseLog2Hist(text)),
  });
}

/** These tools keep neither sums nor maxima. */
function fromTables(tables: readonly Log2Table[]): RunqWaits {
  const groups = tables.map(({ label, buckets }): RunqlatGroup => {
    const [, id = '0', comm] = /^\S+ = (\d+)(?: (.*))?$/.exec(label ?? '') ?? [];
    const count = buckets.reduce((sum, each) => sum + each.count, 0);
    const waits = { buckets, count, total_ns: null, max_ns: null };
    return { id: Number(id), comm: comm ?? null, waits };
  });
  const all = groups.map(({ waits }) => waits).reduce(addDistributions, nothing);
  return {
    all: { ...all, total_ns: null, max_ns: null },
    groups: tables.some(({ label }) => label !== null) ? groups : [],
  };
}

/** The kernel's own sums: how many waits and how long in all, but not how they spread. */
function procfsWaits(ctx: Context, query: RunqQuery): Rung<RunqWaits> {
  return {
    method: 'procfs',
    obstacle: () => (query.group === 'pid_namespace' ? namespaces : null),
    measure: (call) => measureProcfs(ctx, query, call),
  };
}

async function measureProcfs(
  ctx: Context,
  { duration_ms, pid, group }: RunqQuery,
  call: Call,
): Promise<Measured<RunqWaits>> {
  const before = await scanProcesses(ctx, call);
  await ctx.sleep(duration_ms, call.signal);
  const after = await scanProcesses(ctx, call);
  const uses = compareScans(before, after).uses.filter(
    ({ now, waited }) => waited !== null && (pid === null || now.pid === pid),
  );
  const groups = uses.map(
    ({ now, waited }): RunqlatGroup => ({
      id: now.pid,
      comm: now.comm,
      waits: {
        buckets: [],
        count: waited?.samples ?? 0,
        total_ns: waited?.wait_ns ?? 0,
        max_ns: null,
      },
    }),
  );
  const all = groups.map(({ waits }) => waits).reduce(addDistributions, nothing);
  return {
    value: {
      all: { ...all, max_ns: null },
      groups: group === 'process' ? groups : [],
      sums_only: true,
    },
    source: '/proc/PID/task/TID/schedstat',
    window_ms: Math.round(after.started_ms - before.started_ms),
    lost_events: null,
    warnings: ['The waits of threads that ended within the window are not in it.'],
  };
}
