import { bpftraceScript } from '../../allowlist/bpftrace.ts';
import type { BpftraceProgram, WholeProgram } from '../../allowlist/bpftrace-program.ts';
import { programs } from '../../allowlist/programs.ts';
import type { TraceHealth } from '../../parsers/bpftrace-json/bpftrace-output.ts';
import { hideKernelAddresses } from '../../parsers/kernel-address.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Finished } from '../exec/start.ts';
import type { Measured, Rung } from './bounded-trace.ts';
import { failedProgram } from './program-failure.ts';
import { mapKeys, rememberStart, startAllowance, taskKeys } from './tracer-time.ts';
import { bpfObstacle, type Needs } from './tracing-obstacles.ts';

/** What every parser of a shipped program tells beside its data. */
type Output = Readonly<{ health: TraceHealth }>;

type Plan<T extends Output> = Readonly<{
  /** scripts/bpftrace/NAME.bt; its first parameter is the time to watch in ms. */
  script: WholeProgram;
  duration_ms: number;
  /** The program as it is fit to this host; without it the shipped one. */
  fitted?: BpftraceProgram;
  /** The second parameter and those after it. */
  parameters: readonly number[];
  needs: Needs;
  /** Most that it may print; what came until then is kept. */
  output_bytes?: number;
  buffer_pages?: number;
  string_bytes?: number;
  /** It takes the stacks of one process alone. */
  one_process?: boolean;
  /** Its maps are keyed by live task, system call and range of a histogram alone. */
  task_keys?: boolean;
  /** Called when it has begun to watch. */
  began?(): void;
  parse(text: string): T;
}>;

const default_output_bytes = 32 * 1024 * 1024;
/**
 * Time to detach and to print, in three seconds of which others go first. Naming the frames of many programs takes bpftrace 0.17 longer: what it
 * has printed until then is kept.
 */
const printing_ms = 13_000;

/** The first rung of most ladders: a program of this package that ends by itself. */
export function bpftraceRung<T extends Output>(ctx: Context, plan: Plan<T>): Rung<T> {
  return {
    method: 'bpftrace',
    obstacle: () => bpfObstacle(ctx, programs.bpftrace, plan.needs),
    measure: (call) => measure(ctx, plan, call),
  };
}

async function measure<T extends Output>(
  ctx: Context,
  plan: Plan<T>,
  call: Call,
): Promise<Measured<T>> {
  const { script, duration_ms } = plan;
  const map_keys = plan.task_keys ? taskKeys(ctx) : mapKeys(ctx);
  const { text } = ctx.script(script);
  // One that says nothing when it begins is taken to begin when bpftrace says that it attaches.
  const sign = text.includes('"began"') ? '"began"' : 'attached_probes';
  const command = bpftraceScript(
    {
      program: plan.fitted ?? { kind: 'whole', name: script },
      parameters: [duration_ms, ...plan.parameters],
      duration_ms: duration_ms + printing_ms,
      one_process: plan.one_process ?? false,
      output_bytes: plan.output_bytes ?? default_output_bytes,
      map_keys,
      ...(plan.buffer_pages === undefined ? {} : { buffer_pages: plan.buffer_pages }),
      ...(plan.string_bytes === undefined ? {} : { string_bytes: plan.string_bytes }),
    },
    ctx,
  );
  const pieces: string[] = [];
  const started_ms = ctx.monotonicMs();
  const timer = new AbortController();
  let began_ms: number | null = null;
  const running = await ctx.start(command, {
    signal: call.signal,
    onStdout(text) {
      pieces.push(text);
      if (began_ms !== null || !text.includes(sign)) return;
      began_ms = ctx.monotonicMs();
      plan.began?.();
      stopAfter(duration_ms + printing_ms);
      rememberStart(ctx, script, began_ms - started_ms);
      call.progress(`watching for ${duration_ms / 1000} s`);
    },
  });
  const allowance_ms = startAllowance(ctx, script);
  const stopAfter = (ms: number): void => {
    void ctx.sleep(ms, timer.signal).then(
      () => running.stop(),
      () => {},
    );
  };
  void ctx.sleep(allowance_ms, timer.signal).then(
    () => began_ms ?? running.stop(),
    () => {},
  );
  const finished = await running.finished;
  timer.abort();
  call.signal.throwIfAborted();
  if (began_ms === null) throw notAttached(finished, allowance_ms);
  const watched_ms = ctx.monotonicMs() - began_ms;
  const printed = pieces.join('');
  const value = plan.parse(printed);
  const { window_ns, lost_events } = value.health;
  // An empty map is not printed either: what nobody told is not 0.
  if (window_ns === null && !toldAnything(printed)) throw endedSilently(finished);
  return {
    value,
    source: `bpftrace (${script}.bt)`,
    window_ms: Math.round(window_ns === null ? watched_ms : window_ns / 1e6),
    lost_events,
    warnings: warningsOf(finished, value.health, map_keys),
  };
}

/** Whether it printed an event or a map. A program prints its maps, the window among them, as it ends. */
const toldAnything = (text: string): boolean =>
  /^\{"type": "(?:map|hist|stats|printf)"(?!, "data": "began")/m.test(text);

const endedSilently = ({ signal, exit_code, stopped_by }: Finished): TracewrightError =>
  new TracewrightError(
    'EXECUTION_FAILED',
    `bpftrace ended (${signal ?? (stopped_by === 'exit' ? `exit ${exit_code}` : stopped_by)}) before it told what it had counted.`,
    'Try again; `dmesg` tells whether the kernel killed it for want of memory.',
  );

/** bpftrace prints the address of a frame of the kernel that it cannot name. */
export const shownFrames = ({ settings }: Context, text: string): string =>
  settings.showAddresses ? text : hideKernelAddresses(text, '[unknown]');

function warningsOf(
  { stopped_by }: Finished,
  { window_ns, lost_events, refused_updates, longest_map }: TraceHealth,
  map_keys: number,
): readonly string[] {
  const early = stopped_by === 'exit' && window_ns === null;
  const cut = stopped_by === 'output_limit' || stopped_by === 'deadline';
  const late = stopped_by === 'caller';
  const full = refused_updates > 0 || longest_map >= map_keys;
  return [
    ...(early ? ['bpftrace ended before it had told everything.'] : []),
    ...(late
      ? ['bpftrace was ended while it named functions: some stacks end at the kernel.']
      : []),
    ...(cut ? [`bpftrace was ended by its ${stopped_by}: what came until then is told.`] : []),
    ...(lost_events > 0
      ? [`${lost_events} events came faster than they could be taken: counts are too low.`]
      : []),
    ...(full ? ['A table of the kernel program was full: some tasks or keys are missing.'] : []),
  ];
}

function notAttached(finished: Finished, allowance_ms: number): TracewrightError {
  if (finished.stopped_by === 'caller') {
    return new TracewrightError(
      'TIMEOUT',
      `bpftrace did not attach within ${Math.round(allowance_ms / 1000)} s.`,
      'Try again when the host is less busy.',
    );
  }
  return failedProgram('bpftrace', finished.stderr);
}
