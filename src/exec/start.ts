import type { Duplex, Readable } from 'node:stream';
import type { Command } from '../../allowlist/command.ts';
import { wrappers } from '../../allowlist/programs.ts';
import { TracewrightError } from '../errors.ts';
import { giveWay } from './give-way.ts';
import { addGroup, endGroup, isEnding, signalGroup } from './live-groups.ts';
import { mayAdminister } from './may-administer.ts';
import { giveNice } from './nice-value.ts';
import { findProgram, findUserProgram, resolveProgram } from './resolve-program.ts';
import { sandboxWrappers } from './sandbox.ts';
import { exitOf, spawnProgram } from './spawn-program.ts';
import { tracefsNamespace } from './tracefs-namespace.ts';

/** How a program ended. Text on stderr and an exit code are data here, not a failure. */
export type Finished = Readonly<{
  stdout: string;
  /** All that was read of it, kept or not. */
  stdout_bytes?: number;
  /** The first 4 KiB. */
  stderr: string;
  exit_code: number | null;
  signal: string | null;
  stopped_by: 'exit' | 'deadline' | 'output_limit' | 'canceled' | 'caller';
  duration_ms: number;
}>;

export type StartOptions = Readonly<{
  signal?: AbortSignal | undefined;
  /** Takes stdout piece by piece; nothing is kept then. */
  onStdout?: ((text: string) => void) | undefined;
  /**
   * The same without decoding, for output that comes faster than text can be made of it. Until a
   * promise that it gives is settled no more is read, and the program waits.
   */
  onStdoutBytes?: ((bytes: Buffer) => Promise<void> | void) | undefined;
  /** Sees stderr piece by piece; its beginning is kept all the same. */
  onStderr?: ((text: string) => Promise<void> | void) | undefined;
}>;

export type Running = Readonly<{
  pid: number;
  finished: Promise<Finished>;
  /** Asks the program to finish and print what it has; SIGKILL follows after a grace time. */
  stop(): void;
  /**
   * SIGUSR1, on which bpftrace prints its maps and goes on; or SIGWINCH, which it ignores itself, for
   * a program with a probe that does.
   */
  printMaps(signal?: 'SIGUSR1' | 'SIGWINCH'): void;
  /** A control pipe, by file descriptor number (3 is the first). */
  control(fd: number): Duplex;
}>;

const stderr_cap = 4096;
type Step = Readonly<{ after_ms: number; signal: NodeJS.Signals }>;

/** How a command is asked to end. */
function steps({ sandbox, stopSignal }: Command): readonly Step[] {
  if (sandbox) {
    // A profiler writes what it has on the first signal; a second one would disturb it.
    return [
      { after_ms: 0, signal: stopSignal },
      { after_ms: 5000, signal: 'SIGTERM' },
      { after_ms: 8000, signal: 'SIGKILL' },
    ];
  }
  return [
    { after_ms: 0, signal: stopSignal },
    // bpftrace 0.17 loses a SIGINT that comes just before it begins to wait for events.
    { after_ms: 500, signal: stopSignal },
    { after_ms: 2000, signal: 'SIGKILL' },
  ];
}

/** All that a program sees of our environment: nothing of the caller's gets through. */
const environment = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  PERF_PAGER: 'cat',
  PERF_CONFIG: '/dev/null',
};

/**
 * Starts an approved command: no shell, no stdin, a process group of its own, a deadline, a cap on
 * its output, and a parent-death signal so that it ends even when we are killed.
 */
export async function start(command: Command, options: StartOptions = {}): Promise<Running> {
  if (options.signal?.aborted || isEnding()) throw canceled();
  // Without CAP_SYS_ADMIN unshare fails, and the program cannot mount anything either. A host that cannot
  // make a namespace has a tracer that says what it misses.
  const namespace =
    command.needsTracefs && mayAdminister() ? await tracefsNamespace().catch(() => null) : null;
  try {
    const running = await startIn(namespace?.path ?? null, command, options);
    if (namespace) void running.finished.finally(namespace.release);
    return running;
  } catch (error) {
    namespace?.release();
    throw error;
  }
}

async function startIn(
  namespace: string | null,
  command: Command,
  options: StartOptions,
): Promise<Running> {
  const [file, ...args] = commandLine(command, namespace);
  // Whoever cancels in the turn in which it asks starts nothing.
  await Promise.resolve();
  if (options.signal?.aborted) throw canceled();
  const started_at = performance.now();
  const child = await spawnProgram(file, args, {
    detached: true,
    env: { ...environment, ...command.environment },
    cwd: command.sandbox?.cwd ?? '/',
    stdio: ['ignore', 'pipe', 'pipe', ...Array<'pipe'>(command.controlPipes).fill('pipe')],
  }).catch((error: unknown) => {
    throw notStarted(command, error);
  });
  const { pid, stdout: output, stderr: errors } = child;
  if (!output || !errors) throw notStarted(command, new Error('it has no output'));
  addGroup(pid, command.parentDeathSignal);
  if (command.nice !== 0) giveNice(pid, command.nice);
  const giving = command.gives_way && giveWay(pid, command.gives_way);

  let ended = false;
  // A child that the program leaves behind would keep stdout open, and us waiting.
  child.once('exit', () => {
    ended = true;
    giving?.ended();
    endGroup(pid);
  });

  let stopped_by: Finished['stopped_by'] = 'exit';
  const timers: NodeJS.Timeout[] = [];
  const stop = (reason: Finished['stopped_by']): void => {
    // What was printed can cross the cap after the end: the answer is cut then, too.
    if (stopped_by !== 'exit' || (ended && reason !== 'output_limit')) return;
    stopped_by = reason;
    if (ended) return;
    giving?.hurry();
    for (const { after_ms, signal } of steps(command)) {
      if (after_ms === 0) signalGroup(pid, signal);
      else timers.push(setTimeout(() => signalGroup(pid, signal), after_ms));
    }
  };

  const { limits } = command;
  let stdout = '';
  let stdout_bytes = 0;
  const take = (bytes: number, keep: () => Promise<void> | void): void => {
    if (stdout_bytes > limits.output_bytes) return;
    stdout_bytes += bytes;
    pauseFor(output, keep());
    if (stdout_bytes > limits.output_bytes) stop('output_limit');
  };
  const { onStdout, onStdoutBytes } = options;
  if (onStdoutBytes) {
    output.on('data', (bytes: Buffer) => {
      giving?.printed(bytes);
      take(bytes.length, () => onStdoutBytes(bytes));
    });
  } else {
    output.setEncoding('utf8').on('data', (text: string) => {
      giving?.printed(text);
      take(Buffer.byteLength(text), () => {
        if (onStdout) onStdout(text);
        else stdout += text;
      });
    });
  }
  let stderr = '';
  errors.setEncoding('utf8').on('data', (text: string) => {
    pauseFor(errors, options.onStderr?.(text));
    if (stderr.length < stderr_cap) stderr = (stderr + text).slice(0, stderr_cap);
  });

  const deadline = setTimeout(() => stop('deadline'), limits.duration_ms);
  const onAbort = (): void => stop('canceled');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted) onAbort();

  const finished = exitOf(child).then((exit): Finished => {
    clearTimeout(deadline);
    for (const timer of timers) clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
    return {
      stdout: stdout_bytes > limits.output_bytes ? firstBytes(stdout, limits.output_bytes) : stdout,
      stdout_bytes,
      stderr,
      ...exit,
      stopped_by,
      duration_ms: Math.round(performance.now() - started_at),
    };
  });

  return {
    pid,
    finished,
    stop: () => stop('caller'),
    printMaps: (signal = 'SIGUSR1') => {
      if (!ended) process.kill(pid, signal);
    },
    control(fd) {
      const pipe = child.stdio[fd];
      if (!pipe) throw new Error(`the command has no control pipe ${fd}`);
      return pipe as unknown as Duplex;
    },
  };
}

/** Runs an approved command to its end. A canceled request rejects with CANCELED. */
export async function run(command: Command, options: StartOptions = {}): Promise<Finished> {
  return await toTheEnd(start(command, options));
}

/** Waits for the end of what was started. */
export async function toTheEnd(started: Promise<Running>): Promise<Finished> {
  const { finished: end } = await started;
  const finished = await end;
  if (finished.stopped_by === 'canceled') throw canceled();
  return finished;
}

/** The argv with its wrappers in front; every program in it by absolute path. */
function commandLine(command: Command, namespace: string | null): readonly [string, ...string[]] {
  const target = resolveProgram(
    command.program,
    command.sandbox?.user ? findUserProgram : findProgram,
  );
  const mounts =
    command.privateMounts && mayAdminister()
      ? [resolveProgram(wrappers.unshare), '--mount', '--propagation', 'private', '--']
      : [];
  const entered =
    namespace === null ? [] : [resolveProgram(wrappers.nsenter), `--mount=${namespace}`, '--'];
  const pdeathsig = ['--pdeathsig', command.parentDeathSignal, '--'];
  return [
    resolveProgram(wrappers.setpriv),
    ...pdeathsig,
    ...entered,
    ...mounts,
    ...(command.sandbox ? sandboxWrappers(command.sandbox) : []),
    target,
    ...command.args,
  ];
}

/** Lets a program wait until whoever takes its output has room again. */
function pauseFor(stream: Readable, taken: Promise<void> | void): void {
  if (!taken) return;
  stream.pause();
  void taken.finally(() => stream.resume());
}

/** Text of at most so many bytes, without half a character at its end. */
function firstBytes(text: string, bytes: number): string {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes), { stream: true });
}

export const canceled = (): TracewrightError =>
  new TracewrightError('CANCELED', 'The caller canceled the request.', 'Call again.');

const notStarted = (command: Command, error: unknown): TracewrightError =>
  new TracewrightError(
    'EXECUTION_FAILED',
    `${command.program.name} could not be started: ${error instanceof Error ? error.message : String(error)}`,
    'Check `ulimit -u`, `ulimit -n` and free memory, then try again.',
    error,
  );
