import type { TraceToolFamily } from '../../allowlist/trace-tool.ts';
import { type OffcpuOutput, parseOffcpu } from '../../parsers/offcpu/offcpu.ts';
import { type OffcputimeStack, parseOffcputime } from '../../parsers/offcputime/offcputime.ts';
import { parseOffcputimeFolded } from '../../parsers/offcputime-folded/offcputime-folded.ts';
import type { Context } from '../context.ts';
import type { Rung } from './bounded-trace.ts';
import { bpftraceRung, shownFrames } from './bpftrace-rung.ts';
import { offcpuFold } from './offcpu-from-events.ts';
import { offcpuFromProcfs } from './offcpu-from-procfs.ts';
import { perfEventsRung } from './perf-events-rung.ts';
import { traceToolRung } from './trace-tool-rung.ts';
import { ownPid } from './traced-process.ts';

export type OffcpuQuery = Readonly<{
  duration_ms: number;
  pid: number | null;
  min_block_us: number;
  user_stacks: boolean;
}>;

/** Waits of one thread in one place. Null where the way of tracing does not tell. */
export type Blocked = Readonly<{
  pid: number | null;
  tid: number | null;
  comm: string;
  state: string | null;
  /** Innermost first. */
  kernel: readonly string[];
  user: readonly string[];
  waits: number | null;
  total_us: number;
  max_us: number | null;
}>;

export type OffcpuTrace = Readonly<{
  blocked: readonly Blocked[];
  /** By thread that was blocked when the window began: how long from then on. Null: not told. */
  back_us: ReadonlyMap<number, number> | null;
  /** Monotonic time at which the window began; null where the clock is another one. */
  from_ns: number | null;
  /** Threads that had not come back at the end; their waits are in `blocked` up to there. */
  still_waiting: number | null;
}>;

const tracepoints = ['sched:sched_switch'];

/** How blocked time can be measured, best first. `began` is called when a window has begun. */
export function offcpuRungs(
  ctx: Context,
  query: OffcpuQuery,
  began: () => void,
): readonly Rung<OffcpuTrace>[] {
  return [
    bpftraceOffcpu(ctx, query, began),
    offcputime(ctx, 'libbpf', query),
    offcputime(ctx, 'bcc', query),
    perfEventsRung(ctx, {
      method: 'perf_sched',
      events: ['sched:sched_switch'],
      stacks: true,
      duration_ms: query.duration_ms,
      fold: () => offcpuFold(query, ownPid(ctx)),
    }),
    offcpuFromProcfs(ctx, query),
  ];
}

function bpftraceOffcpu(ctx: Context, query: OffcpuQuery, began: () => void): Rung<OffcpuTrace> {
  const { duration_ms, pid, min_block_us, user_stacks } = query;
  return bpftraceRung(ctx, {
    script: 'offcpu',
    duration_ms,
    parameters: [pid ?? 0, min_block_us, user_stacks ? 1 : 0, ownPid(ctx) ?? 0],
    needs: { tracepoints, pid: pid !== null },
    one_process: pid !== null,
    began,
    parse(text) {
      const output = parseOffcpu(shownFrames(ctx, text));
      return { health: output.health, ...fromBpftrace(output, min_block_us) };
    },
  });
}

function fromBpftrace(output: OffcpuOutput, min_block_us: number): OffcpuTrace {
  const nameOf = (pid: number): string => output.names.get(pid) ?? '';
  const told = output.waiting?.filter(({ waited_ns }) => waited_ns >= min_block_us * 1000) ?? null;
  return {
    blocked: [
      ...output.stacks.map(({ count, total_ns, max_ns, ...place }) => ({
        ...place,
        comm: nameOf(place.pid),
        waits: count,
        total_us: total_ns / 1000,
        max_us: max_ns === null ? null : max_ns / 1000,
      })),
      ...(told ?? []).map(({ pid, tid, state, kernel, waited_ns }) => ({
        pid,
        tid,
        comm: nameOf(pid),
        state,
        kernel,
        user: [],
        waits: 1,
        total_us: waited_ns / 1000,
        max_us: waited_ns / 1000,
      })),
    ],
    back_us: new Map([...output.back_ns].map(([tid, ns]) => [tid, ns / 1000])),
    from_ns: output.from_ns,
    still_waiting: told?.length ?? null,
  };
}

function offcputime(ctx: Context, family: TraceToolFamily, query: OffcpuQuery): Rung<OffcpuTrace> {
  const { duration_ms, pid, min_block_us } = query;
  const bcc = family === 'bcc';
  return traceToolRung(ctx, {
    family,
    tool: 'offcputime',
    args: [
      ...(bcc ? ['-f'] : []),
      ...(pid === null ? [] : [['-p', pid] as const]),
      ['-m', min_block_us],
      Math.ceil(duration_ms / 1000),
    ],
    duration_ms,
    // BCC's needs a kprobe on finish_task_switch.
    needs: { pid: pid !== null, kprobes: bcc },
    parse: (text) => fromOffcputime(bcc ? parseOffcputimeFolded(text) : parseOffcputime(text), pid),
  });
}

/** Where the kernel begins, seen from the program: the entry of a call, a fault or an interrupt. */
const entry = /^(?:entry_|asm_|ret_from_fork|el0t?_|ret_to_user)/;

function fromOffcputime(stacks: readonly OffcputimeStack[], pid: number | null): OffcpuTrace {
  return {
    blocked: stacks.map(({ comm, tid, frames, total_us }) => {
      const last = frames.findLastIndex((frame) => entry.test(frame));
      return {
        pid,
        tid,
        comm,
        state: null,
        kernel: frames.slice(0, last + 1),
        user: frames.slice(last + 1),
        waits: null,
        total_us,
        max_us: null,
      };
    }),
    back_us: null,
    from_ns: null,
    still_waiting: null,
  };
}
