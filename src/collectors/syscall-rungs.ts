import { perfTraceSummary } from '../../allowlist/perf-trace.ts';
import { programs } from '../../allowlist/programs.ts';
import type { TraceToolFamily } from '../../allowlist/trace-tool.ts';
import type { Distribution } from '../../parsers/distribution.ts';
import { type PerfTraceRow, parsePerfTrace } from '../../parsers/perf-trace/perf-trace.ts';
import { errorNames, syscallNames } from '../../parsers/syscalls/syscall-names.ts';
import { parseSyscount, type SyscountOutput } from '../../parsers/syscount/syscount.ts';
import { parseSyscountTable } from '../../parsers/syscount-table/syscount-table.ts';
import type { Call, Context } from '../context.ts';
import type { Measured, Rung } from './bounded-trace.ts';
import { bpftraceRung } from './bpftrace-rung.ts';
import { traceEventsObstacle } from './perf-obstacles.ts';
import { failedProgram } from './program-failure.ts';
import { traceToolRung } from './trace-tool-rung.ts';
import { ownPid } from './traced-process.ts';
import { programObstacle, readOnlyObstacle } from './tracing-obstacles.ts';

export type SyscallQuery = Readonly<{
  duration_ms: number;
  pid: number | null;
  latency: boolean;
  /** Counts by process beside those by call. */
  tasks: boolean;
  failed_only: boolean;
}>;

/** Null where the tracer does not tell. */
export type SyscallUse = Readonly<{
  name: string;
  calls: number;
  took: Distribution | null;
  errors: readonly Readonly<{ errno: string; count: number }>[] | null;
  failed: number | null;
}>;

export type TaskUse = Readonly<{
  pid: number;
  comm: string;
  name: string;
  calls: number;
  total_ns: number | null;
}>;

export type SyscallUses = Readonly<{
  syscalls: readonly SyscallUse[];
  tasks: readonly TaskUse[] | null;
}>;

const tracepoints = ['raw_syscalls:sys_enter', 'raw_syscalls:sys_exit'];
const all_calls = 600;
const max_summary_bytes = 16 * 1024 * 1024;

/** How system calls can be counted, best first. */
export function syscallRungs(ctx: Context, query: SyscallQuery): readonly Rung<SyscallUses>[] {
  return [
    bpftraceSyscount(ctx, query),
    syscountTool(ctx, 'libbpf', query),
    syscountTool(ctx, 'bcc', query),
    perfTrace(ctx, query),
  ];
}

const bit = (flag: boolean): number => (flag ? 1 : 0);

function bpftraceSyscount(ctx: Context, query: SyscallQuery): Rung<SyscallUses> {
  const { duration_ms, pid, latency, tasks, failed_only } = query;
  const flags = [bit(latency), bit(tasks), bit(failed_only)];
  return bpftraceRung(ctx, {
    script: 'syscount',
    duration_ms,
    parameters: [pid ?? 0, ...flags, ownPid(ctx) ?? 0],
    needs: { tracepoints, pid: pid !== null },
    task_keys: !tasks,
    parse(text) {
      const output = parseSyscount(text);
      return { health: output.health, ...named(ctx, output) };
    },
  });
}

function named(ctx: Context, { syscalls, tasks }: SyscountOutput): SyscallUses {
  const names = syscallNames[ctx.registers === 6 ? 'x64' : 'arm64'];
  const name = (number: number): string => {
    const known = names[number];
    return known === undefined || known === '-' ? `syscall_${number}` : known;
  };
  return {
    syscalls: syscalls.map(({ number, calls, took, errors }) => ({
      name: name(number),
      calls,
      took,
      errors: errors.map(({ errno, count }) => ({
        errno: errorNames[errno] ?? `errno_${errno}`,
        count,
      })),
      failed: errors.reduce((sum, { count }) => sum + count, 0),
    })),
    tasks: tasks.map(({ number, ...task }) => ({ ...task, name: name(number) })),
  };
}

function syscountTool(
  ctx: Context,
  family: TraceToolFamily,
  query: SyscallQuery,
): Rung<SyscallUses> {
  const { duration_ms, pid, latency, tasks, failed_only } = query;
  return traceToolRung(ctx, {
    family,
    tool: 'syscount',
    args: [
      ['-d', Math.ceil(duration_ms / 1000)],
      ['-T', all_calls],
      ...(pid === null ? [] : [['-p', pid] as const]),
      ...(latency ? ['-L'] : []),
      ...(failed_only ? ['-x'] : []),
    ],
    duration_ms,
    needs: { tracepoints, pid: pid !== null },
    lacks: tasks ? { reason: 'syscount counts by call or by process, not both.', fix: null } : null,
    parse: (text) => ({
      syscalls: parseSyscountTable(text).map(({ name, count, total_us }) => ({
        name,
        calls: count,
        took: total_us === null ? null : sumOnly(count, total_us * 1000, null),
        errors: null,
        failed: failed_only ? count : null,
      })),
      tasks: null,
    }),
  });
}

const sumOnly = (count: number, total_ns: number, max_ns: number | null): Distribution => ({
  buckets: [],
  count,
  total_ns,
  max_ns,
});

function perfTrace(ctx: Context, query: SyscallQuery): Rung<SyscallUses> {
  return {
    method: 'perf_trace',
    obstacle: () =>
      readOnlyObstacle(ctx) ?? programObstacle(ctx, programs.perf) ?? traceEventsObstacle(ctx),
    measure: (call) => measurePerfTrace(ctx, query, call),
  };
}

async function measurePerfTrace(
  ctx: Context,
  { duration_ms, pid, failed_only }: SyscallQuery,
  call: Call,
): Promise<Measured<SyscallUses>> {
  const file = 'perf-trace.txt';
  try {
    const command = perfTraceSummary({ pid, duration_ms, output: ctx.scratch.path(file) });
    const finished = await ctx.run(command, { signal: call.signal });
    const written = await ctx.scratch.readFrom(file, 0, max_summary_bytes);
    const text = new TextDecoder().decode(written);
    if (!text.includes('Summary of events')) throw failedProgram('perf trace', finished.stderr);
    const rows = parsePerfTrace(text);
    return {
      value: failed_only ? fromPerf(rows.flatMap(onlyFailed)) : fromPerf(rows),
      source: 'perf trace',
      window_ms: duration_ms,
      lost_events: null,
      warnings: ['perf trace counts by thread: each is told as a process of its own.'],
    };
  } finally {
    ctx.scratch.remove(file);
  }
}

/** Of failed calls perf tells the number only. */
function onlyFailed(row: PerfTraceRow): readonly PerfTraceRow[] {
  const calls = row.errors ?? 0;
  return calls === 0 ? [] : [{ ...row, calls, total_ms: null, max_ms: null }];
}

function fromPerf(rows: readonly PerfTraceRow[]): SyscallUses {
  const byName = new Map<string, SyscallUse>();
  for (const { name, calls, errors, total_ms, max_ms } of rows) {
    const known = byName.get(name);
    const count = (known?.calls ?? 0) + calls;
    const total_ns = (known?.took?.total_ns ?? 0) + (total_ms ?? 0) * 1e6;
    const max_ns = Math.max(known?.took?.max_ns ?? 0, (max_ms ?? 0) * 1e6);
    byName.set(name, {
      name,
      calls: count,
      took: total_ms === null ? null : sumOnly(count, total_ns, max_ms === null ? null : max_ns),
      errors: null,
      failed: errors === null ? null : (known?.failed ?? 0) + errors,
    });
  }
  const tasks = rows.map(({ tid, comm, name, calls, total_ms }) => ({
    pid: tid,
    comm,
    name,
    calls,
    total_ns: total_ms === null ? null : total_ms * 1e6,
  }));
  return { syscalls: [...byName.values()], tasks };
}
