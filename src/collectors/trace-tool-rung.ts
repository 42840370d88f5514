import { bccTool, libbpfTool, type TraceTool } from '../../allowlist/programs.ts';
import {
  type TraceToolArgument,
  type TraceToolFamily,
  traceTool,
} from '../../allowlist/trace-tool.ts';
import type { Call, Context } from '../context.ts';
import type { Measured, Rung } from './bounded-trace.ts';
import { failedProgram } from './program-failure.ts';
import { rememberStart, startAllowance } from './tracer-time.ts';
import { bpfObstacle, type Needs, type Obstacle } from './tracing-obstacles.ts';

type Plan<T> = Readonly<{
  family: TraceToolFamily;
  tool: TraceTool;
  args: readonly TraceToolArgument[];
  duration_ms: number;
  /** It has no end of its own: it is told to end when the time is over. */
  endless?: boolean;
  needs: Needs;
  /** What was asked for and this tool cannot do. */
  lacks?: Obstacle | null;
  output_bytes?: number;
  parse(text: string): T;
}>;

const default_output_bytes = 8 * 1024 * 1024;
/** BCC compiles for up to half a minute before it traces. */
const bcc_start_ms = 15_000;

/** A tool of libbpf-tools or BCC: it needs BTF, or the headers of the kernel. */
export function traceToolRung<T>(ctx: Context, plan: Plan<T>): Rung<T> {
  const { family, tool } = plan;
  const program = family === 'libbpf' ? libbpfTool(tool) : bccTool(tool);
  const needs =
    family === 'libbpf' ? { btf: true, ...plan.needs } : { headers: true, ...plan.needs };
  return {
    method: `${family}_${tool}`,
    obstacle: () => plan.lacks ?? bpfObstacle(ctx, program, needs),
    measure: (call) => measure(ctx, plan, call),
  };
}

async function measure<T>(ctx: Context, plan: Plan<T>, call: Call): Promise<Measured<T>> {
  const { family, tool, args, duration_ms, endless = false } = plan;
  const name = `${family}_${tool}`;
  const extra_ms = family === 'bcc' ? bcc_start_ms : 0;
  const command = traceTool({
    family,
    tool,
    args,
    // One without an end gets its time and a second to start; its own clock is not known.
    duration_ms: endless ? duration_ms + 1000 : duration_ms + startAllowance(ctx, name) + extra_ms,
    output_bytes: plan.output_bytes ?? default_output_bytes,
  });
  const started_ms = ctx.monotonicMs();
  const finished = await ctx.run(command, { signal: call.signal });
  const ended_itself = finished.stopped_by === 'exit';
  const expected = endless ? finished.stopped_by === 'deadline' : ended_itself;
  if (finished.stdout === '' && (!expected || finished.exit_code !== 0)) {
    throw failedProgram(name, finished.stderr);
  }
  rememberStart(ctx, name, Math.max(0, ctx.monotonicMs() - started_ms - duration_ms));
  const cut = finished.stopped_by === 'output_limit' || (!endless && !ended_itself);
  return {
    value: plan.parse(finished.stdout),
    source: `${tool} (${family === 'libbpf' ? 'libbpf-tools' : 'BCC'})`,
    window_ms: duration_ms,
    lost_events: null,
    warnings: [
      ...(cut ? [`${tool} was ended by its ${finished.stopped_by}: it is told in part.`] : []),
      ...(endless
        ? [
            `${tool} does not tell when it began to watch: rates rest on the ${duration_ms} ms asked for.`,
          ]
        : []),
    ],
  };
}
