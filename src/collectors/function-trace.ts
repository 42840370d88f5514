import { bpftraceScript } from '../../allowlist/bpftrace.ts';
import {
  attachPoints,
  type FunctionMode,
  type FunctionProbe,
} from '../../allowlist/function-program.ts';
import { parseFunctionTrace } from '../../parsers/function-trace/function-trace.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError, toTracewrightError } from '../errors.ts';
import type { Reading } from '../reading.ts';
import { shownFrames } from './bpftrace-rung.ts';
import { functionCapture } from './function-capture.ts';
import { chooseFunctions } from './function-choice.ts';
import { fentryOrKprobe, kprobesInstead, listedFunctions } from './function-probes.ts';
import { type FunctionReport, reportFunctions, type Traced } from './function-report.ts';
import { kernelFunctions } from './kernel-functions.ts';
import { tryToKeep } from './profile-captures.ts';
import { refuseUntraceable } from './trace-refusal.ts';
import { type TracedProcess, tracedProcess } from './traced-process.ts';
import { mapKeys } from './tracer-time.ts';

type Query = Readonly<{
  functions: readonly string[];
  mode: FunctionMode;
  duration_s: number;
  pid?: number | undefined;
}>;

/** Printing ten thousand stacks with their symbols takes seconds. */
const printing_ms = 20_000;

/**
 * Counts the calls of up to ten kernel functions for a while, or measures them from entry to return,
 * or collects who calls them. Source: scripts/bpftrace/function-*.bt.
 */
export async function traceKernelFunctions(
  ctx: Context,
  query: Query,
  call: Call,
): Promise<Reading<FunctionReport>> {
  const needs = { pid: query.pid !== undefined };
  refuseUntraceable(ctx, needs);
  const listing = listedFunctions(ctx, await kernelFunctions(ctx, call));
  const target = query.pid === undefined ? null : tracedProcess(ctx, query.pid);
  const chosen = chooseFunctions(query.functions, query.mode, listing);
  const probes = await fentryOrKprobe(ctx, chosen, listing);
  const traced = async (with_probes: readonly FunctionProbe[], warnings: readonly string[]) => {
    const seen = await trace(ctx, query, with_probes, target, call);
    const told = { ...seen, probes: with_probes, chosen, target, warnings };
    const reading = reportFunctions(query.mode, told);
    return query.mode === 'stacks' ? await withCapture(ctx, reading, told) : reading;
  };
  try {
    return await traced(probes, []);
  } catch (thrown) {
    const others = kprobesInstead(probes, listing);
    const { code, message } = toTracewrightError(thrown);
    if (!others || code !== 'EXECUTION_FAILED') throw thrown;
    return await traced(others, [`Traced with kprobes, because fentry failed: ${message}`]);
  }
}

/** Stacks are kept, for their views to be asked for. */
async function withCapture(
  ctx: Context,
  reading: Reading<FunctionReport>,
  traced: Traced,
): Promise<Reading<FunctionReport>> {
  const capture = functionCapture(traced);
  const { kept, links, warnings } = await tryToKeep(ctx, capture, `Callers: ${capture.event}`);
  return {
    ...reading,
    data: { ...reading.data, ...kept },
    links,
    warnings: [...(reading.warnings ?? []), ...warnings],
  };
}

async function trace(
  ctx: Context,
  { mode, duration_s }: Query,
  probes: readonly FunctionProbe[],
  target: TracedProcess | null,
  call: Call,
): Promise<Pick<Traced, 'seen' | 'window_ns'>> {
  const command = bpftraceScript(
    {
      program: { kind: 'functions', mode, probes },
      parameters: [duration_s * 1000, target?.pid ?? 0],
      duration_ms: duration_s * 1000 + printing_ms,
      map_keys: mapKeys(ctx),
      quiet: true,
    },
    ctx,
  );
  call.progress(`attaching to ${probes.map(({ name }) => name).join(', ')}`);
  const pieces: string[] = [];
  const onStdout = (text: string): void => {
    pieces.push(text);
    if (text.includes('"began')) call.progress(`watching for ${duration_s} s`);
  };
  const { stderr } = await ctx.run(command, { signal: call.signal, onStdout });
  const seen = parseFunctionTrace(shownFrames(ctx, pieces.join('')));
  if (seen.window_ns === null) throw failed(probes, stderr);
  return { seen, window_ns: seen.window_ns };
}

/** What bpftrace said, without its remarks about limits that do not matter. */
function failed(probes: readonly FunctionProbe[], stderr: string): TracewrightError {
  const said = stderr
    .split('\n')
    .filter((line) => /error|cannot|failed/i.test(line) && !line.includes('RLIMIT_MEMLOCK'));
  const points = probes.map((probe) => attachPoints(probe).entry).join(', ');
  return new TracewrightError(
    'EXECUTION_FAILED',
    `bpftrace could not trace ${points}: ${untrusted(said.slice(0, 2).join(' '), 300) || 'it said nothing'}`,
    'Trace one function at a time to find the one that cannot be, or a function that calls it.',
  );
}
