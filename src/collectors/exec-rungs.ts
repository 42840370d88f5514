import type { TraceToolFamily } from '../../allowlist/trace-tool.ts';
import { type ProcessEvent, parseExecEvents } from '../../parsers/exec-events/exec-events.ts';
import { parseExecsnoopTable } from '../../parsers/execsnoop-table/execsnoop-table.ts';
import type { Context } from '../context.ts';
import type { Rung } from './bounded-trace.ts';
import { bpftraceRung } from './bpftrace-rung.ts';
import { execFold } from './exec-from-events.ts';
import { execFromProcfs } from './exec-from-procfs.ts';
import { perfEventsRung } from './perf-events-rung.ts';
import { traceToolRung } from './trace-tool-rung.ts';

export type ExecQuery = Readonly<{ duration_ms: number; max_args: number }>;

/** What processes did within the window. Kinds that the way of tracing does not see have no events. */
export type ExecTrace = Readonly<{
  events: readonly ProcessEvent[];
  sees: Readonly<{ forks: boolean; execs: boolean; failures: boolean; exits: boolean }>;
  /** Origin of the events' times. */
  from_ns: number | null;
  /** Threads that began; null where they are not told. */
  threads_begun: number | null;
  /** Processes and threads that began, by the kernel's own count; null where it was not read. */
  tasks_begun: number | null;
}>;

const everything = { forks: true, execs: true, failures: true, exits: true };
const execs_only = { forks: false, execs: true, failures: true, exits: false };

const tracepoints = [
  'task:task_newtask',
  'sched:sched_process_exec',
  'sched:sched_process_exit',
  'syscalls:sys_enter_execve',
  'syscalls:sys_exit_execve',
];

/** How the coming and going of processes can be traced, best first. */
export function execRungs(ctx: Context, query: ExecQuery): readonly Rung<ExecTrace>[] {
  const { duration_ms } = query;
  return [
    bpftraceRung(ctx, {
      script: 'exec-events',
      duration_ms,
      parameters: [],
      needs: { tracepoints, btf: true },
      string_bytes: 200,
      // Storms come in bursts: 2 MiB per CPU hold some thousand events.
      buffer_pages: 512,
      parse(text) {
        const { health, events, threads_begun, from_ns } = parseExecEvents(text);
        return { health, events, sees: everything, from_ns, threads_begun, tasks_begun: null };
      },
    }),
    execsnoop(ctx, 'libbpf', query),
    execsnoop(ctx, 'bcc', query),
    perfEventsRung(ctx, {
      method: 'perf_events',
      events: ['task:task_newtask', 'sched:sched_process_exec', 'sched:sched_process_exit'],
      stacks: false,
      duration_ms,
      fold: execFold,
    }),
    execFromProcfs(ctx, duration_ms),
  ];
}

function execsnoop(
  ctx: Context,
  family: TraceToolFamily,
  { duration_ms, max_args }: ExecQuery,
): Rung<ExecTrace> {
  return traceToolRung(ctx, {
    family,
    tool: 'execsnoop',
    args: ['-t', '-U', '-x', ['--max-args', max_args]],
    duration_ms,
    endless: true,
    // BCC's needs a kprobe.
    needs: { tracepoints: tracepoints.slice(3), kprobes: family === 'bcc' },
    parse: (text) => ({
      events: parseExecsnoopTable(text),
      sees: execs_only,
      from_ns: 0,
      threads_begun: null,
      tasks_begun: null,
    }),
  });
}
