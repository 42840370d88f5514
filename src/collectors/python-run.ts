import { type ScaleneRun, scaleneRun } from '../../allowlist/scalene.ts';
import { parseScalene, type ScaleneProfile } from '../../parsers/scalene/scalene.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import type { Finished } from '../exec/start.ts';
import { findInterpreter } from './python-interpreter.ts';
import { crashSignal, noProfile, type Outcome, outcomeOf } from './python-outcome.ts';
import { type PythonProgram, type PythonSource, preparePython } from './python-program.ts';
import { endsOfText, type TextEnds } from './text-ends.ts';

export type PythonOptions = Pick<
  ScaleneRun,
  | 'args'
  | 'memory'
  | 'gpu'
  | 'stacks'
  | 'cpu_sampling_rate'
  | 'allocation_window_bytes'
  | 'profile_only'
  | 'profile_exclude'
  | 'profile_all'
  | 'use_virtual_time'
> &
  Readonly<{ timeout_s: number }>;

/** A run that brought a profile, whole or partial. */
export type PythonRun = Readonly<{
  source: PythonSource;
  title: string;
  outcome: Outcome;
  profile: ScaleneProfile;
  /** Whether memory was profiled, too, in the end. */
  memory: boolean;
  /** As Scalene wrote it. */
  raw: string;
  version: string;
  wall_s: number;
  exit_code: number | null;
  signal: string | null;
  stdout: TextEnds;
  stderr: TextEnds;
  user: number | null;
  warnings: readonly string[];
}>;

const outfile = 'profile.json';
/** Scalene's buffers, whose place it has hard-wired; an end by force leaves them behind. */
const scalene_files = /^scalene-(?:malloc|memcpy)-(?:init|lock|signal)\d+$/;
const largest_profile_bytes = 256 * 1024 * 1024;

/**
 * Runs a program under Scalene. Whether it went well is judged by the profile first and the exit code
 * second, because Scalene ends with 0 without a profile in four cases, and with a profile and not 0
 * in others. Without a profile: an error that says why, with the program's own last words.
 */
export async function runPython(
  ctx: Context,
  source: PythonSource,
  options: PythonOptions,
  call: Call,
): Promise<PythonRun> {
  const program = preparePython(ctx, source);
  try {
    const first = await runOnce(ctx, program, options, call);
    const trouble = first.profile === null && options.memory ? memoryTrouble(first) : null;
    if (trouble === null) return complete(source, program, first, options, []);
    call.progress(`${trouble}: again without it`);
    const cpuOnly = { ...options, memory: false };
    const again = await runOnce(ctx, program, cpuOnly, call);
    const warning = `${trouble}; this is a CPU profile alone.`;
    return complete(source, program, again, cpuOnly, [warning]);
  } finally {
    program.workspace.remove();
  }
}

type Attempt = Readonly<{
  finished: Finished;
  raw: string | null;
  profile: ScaleneProfile | null;
  problem: string | null;
  version: string;
  stdout: TextEnds;
  stderr: TextEnds;
}>;

async function runOnce(
  ctx: Context,
  program: PythonProgram,
  options: PythonOptions,
  call: Call,
): Promise<Attempt> {
  const { workspace, sandbox, target, folder } = program;
  call.progress('looking for Scalene');
  const interpreter = await findInterpreter(ctx, folder, sandbox, call);
  const command = scaleneRun({
    ...options,
    interpreter,
    target,
    sandbox,
    outfile: `${workspace.path}/${outfile}`,
    environment: pythonEnvironment(workspace.path),
    duration_ms: options.timeout_s * 1000,
  });
  const [stdout, stderr] = [endsOfText(), endsOfText()];
  call.progress('the program runs');
  const running = await ctx.start(command, {
    signal: call.signal,
    onStdout: stdout.push,
    onStderr: stderr.push,
  });
  const finished = await running.finished;
  if (finished.stopped_by !== 'exit' || finished.exit_code !== 0) {
    workspace.sweepShared(scalene_files);
  }
  const raw = workspace.read(outfile, largest_profile_bytes);
  return {
    finished,
    raw,
    ...parse(raw),
    version: interpreter.version.join('.'),
    stdout: stdout.ends(),
    stderr: stderr.ends(),
  };
}

function parse(raw: string | null): Pick<Attempt, 'profile' | 'problem'> {
  if (raw === null) return { profile: null, problem: null };
  try {
    return { profile: parseScalene(raw), problem: null };
  } catch (thrown) {
    return { profile: null, problem: toTracewrightError(thrown).message };
  }
}

function complete(
  source: PythonSource,
  program: PythonProgram,
  attempt: Attempt,
  options: PythonOptions,
  warnings: readonly string[],
): PythonRun {
  const { finished, profile, raw, stdout, stderr, version } = attempt;
  if (profile === null || raw === null) throw noProfile(attempt, options);
  return {
    source,
    title: program.title,
    outcome: outcomeOf(finished),
    profile,
    memory: options.memory,
    raw,
    version,
    wall_s: finished.duration_ms / 1000,
    exit_code: finished.exit_code,
    signal: finished.signal,
    stdout,
    stderr,
    user: program.sandbox.user?.uid ?? null,
    warnings: [...warnings, ...(options.profile_all && hasThreads(profile) ? [own_thread] : [])],
  };
}

const own_thread =
  'Thread.run of threading.py holds the time of a thread of Scalene itself: leave it out.';

const hasThreads = ({ files }: ScaleneProfile): boolean =>
  files.some((file) => file.path.endsWith('/threading.py'));

/** Nothing of the server's own surroundings: they may hold secrets, and hide what the program needs. */
export const pythonEnvironment = (folder: string) => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: folder,
  TMPDIR: folder,
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  PYTHONUNBUFFERED: '1',
  PYTHONDONTWRITEBYTECODE: '1',
});

/** Why memory profiling is what went wrong; null where it is not. */
function memoryTrouble({ finished, stderr, stdout }: Attempt): string | null {
  if (finished.stopped_by !== 'exit') return null;
  const said = `${stderr.head}${stderr.tail}${stdout.head}`;
  // Its buffers have one name for each process id, and every process namespace has the same ids.
  if (/\/tmp\/scalene-(?:malloc|memcpy)-/.test(said)) {
    return 'Memory could not be profiled while another Scalene does so on this host';
  }
  const signal = crashSignal(finished);
  return signal === null ? null : `With memory profiling the program crashed (${signal})`;
}
