import type { Command } from '../../allowlist/command.ts';
import { programs } from '../../allowlist/programs.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Finished, StartOptions } from '../exec/start.ts';
import type { Unavailable } from '../reading.ts';
import { helperProblem, runsPrivileged } from './privileges.ts';
import {
  bpfObstacle,
  type Obstacle,
  programObstacle,
  readOnlyObstacle,
} from './tracing-obstacles.ts';

/** A bpftrace that runs until it is stopped. */
export type Tracer = Readonly<{
  pid: number;
  /** Waits for something that its output brings; EXECUTION_FAILED where it ends before, TIMEOUT at its limit. */
  until(reached: () => boolean, signal?: AbortSignal): Promise<void>;
  /** Has it print its maps; they arrive with its output. See printed-maps.ts for SIGWINCH. */
  printMaps(signal?: 'SIGUSR1' | 'SIGWINCH'): void;
  /** Resolves when it has ended and all of its output is in. */
  stop(): Promise<void>;
  ended(): boolean;
  finished: Promise<void>;
}>;

const poll_ms = 20;

/** Starts a program and waits until its probes are attached, as its own output tells. */
export async function startTracer(
  ctx: Context,
  command: Command,
  output: Pick<StartOptions, 'onStdout' | 'onStdoutBytes' | 'onStderr'>,
  attached: () => boolean,
  call: Call,
): Promise<Tracer> {
  const running = await ctx.start(command, output);
  let end: Finished | undefined;
  const finished = running.finished.then((result) => {
    end = result;
  });
  const tracer: Tracer = {
    pid: running.pid,
    async until(reached, signal) {
      while (!reached()) {
        if (end !== undefined) throw endedEarly(end);
        await ctx.sleep(poll_ms, signal);
      }
    },
    printMaps: running.printMaps,
    async stop() {
      running.stop();
      await finished;
    },
    ended: () => end !== undefined,
    finished,
  };
  try {
    call.progress('attaching probes');
    await tracer.until(attached, call.signal);
  } catch (thrown) {
    await tracer.stop();
    throw thrown;
  }
  return tracer;
}

/** Why bpftrace cannot be used here at all, for the answer's `unavailable`; null where it can. */
export function tracingObstacle(ctx: Context, what: string): Unavailable | null {
  const obstacle =
    readOnlyObstacle(ctx) ??
    programObstacle(ctx, programs.bpftrace) ??
    userObstacle(ctx) ??
    bpfObstacle(ctx, programs.bpftrace, {});
  return obstacle && { what, ...obstacle };
}

function userObstacle(ctx: Context): Obstacle | null {
  if (runsPrivileged(ctx)) return null;
  const reason = `Only root may trace the scheduler.${helperProblem(ctx)}`;
  return { reason, fix: 'tracewright setup sudo' };
}

function endedEarly({ stderr, stopped_by, duration_ms }: Finished): TracewrightError {
  if (stopped_by === 'deadline') {
    return new TracewrightError(
      'TIMEOUT',
      `bpftrace had not begun after ${Math.round(duration_ms / 1000)} s and was ended.`,
      'It compiles a program first, for which it got no CPU: try again when the machine is less busy.',
    );
  }
  const line = stderr.split('\n').find((each) => /error/i.test(each)) ?? stderr;
  return new TracewrightError(
    'EXECUTION_FAILED',
    `bpftrace ended: ${untrusted(line, 300) || 'it said nothing'}`,
    'Run `tracewright doctor`, and report this with its output.',
  );
}
