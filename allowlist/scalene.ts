import {
  approve,
  type Command,
  integer,
  matching,
  type Program,
  Refused,
  type Sandbox,
  userPath,
} from './command.ts';

/** A Python at a path that the operator set or that lies beside the program. */
export const pythonAt = (path: string): Program => ({
  name: userPath('python', path),
  candidates: [path],
  packages: { apt: 'python3-scalene', dnf: 'python3-pip' },
});

/** A Python with Scalene, found by the operator's settings or among the usual places. */
export type Interpreter = Readonly<{
  program: Program;
  version: readonly [number, number, number];
}>;

/** What Scalene is asked to do. Options that its version lacks are not in its command line. */
export type ScaleneRun = Readonly<{
  interpreter: Interpreter;
  /** A file that ends in `.py` (Scalene runs the first word that does), or `-m` with a module. */
  target: Readonly<{ script: string } | { module: string; program_path: string }>;
  /** Words for the program. They come after `---`, where Scalene reads nothing. */
  args: readonly string[];
  outfile: string;
  memory: boolean;
  gpu: boolean;
  stacks: boolean;
  cpu_sampling_rate: number;
  allocation_window_bytes: number | null;
  profile_only: string;
  profile_exclude: string;
  profile_all: boolean;
  use_virtual_time: boolean;
  environment: Readonly<Record<string, string>>;
  sandbox: Sandbox;
  duration_ms: number;
}>;

/** Where a file of the program's name stands: no comma-separated word begins with a dash. */
const filter = /^(?!(?:.*,)? *-)[\w./ ,-]{1,330}$/;
/** Debian's 1.5 profiles itself with --profile-all, and fails on its own module for macOS. */
const own_files = 'dist-packages/scalene';
const module = /^[A-Za-z_]\w{0,60}(?:\.[A-Za-z_]\w{0,60}){0,10}$/;
const most_args = 100;
const most_arg_bytes = 64 * 1024;
const output_bytes = 64 * 1024 * 1024;

/**
 * `python -m scalene` for 1.5 and for 2.x, whose command lines differ. Unknown options would go to the
 * program silently, so every option here is one that the version has (help texts of 1.5.51 and 2.3.0).
 */
export function scaleneRun(run: ScaleneRun): Command {
  const { interpreter, sandbox, duration_ms } = run;
  const [major, minor] = interpreter.version;
  const outfile = userPath('outfile', run.outfile);
  const excluded = [run.profile_exclude, ...(run.profile_all && major < 2 ? [own_files] : [])]
    .filter((each) => each !== '')
    .join(',');
  const command =
    major >= 2
      ? ['run', `--outfile=${outfile}`]
      : // Without --cli 1.5 writes HTML where it finds a browser.
        ['--cli', '--json', `--outfile=${outfile}`];
  return approve({
    program: interpreter.program,
    args: [
      ...['-m', 'scalene', ...command],
      ...selection(run),
      ...stackOptions(run.stacks, major, minor),
      `--cpu-sampling-rate=${fraction('cpu_sampling_rate', run.cpu_sampling_rate, 0.0001, 10)}`,
      ...(run.allocation_window_bytes === null
        ? []
        : [
            `--allocation-sampling-window=${integer('allocation window', run.allocation_window_bytes, 1024, 2 ** 30)}`,
          ]),
      ...(run.profile_only
        ? [`--profile-only=${matching('filter', run.profile_only, filter)}`]
        : []),
      ...(excluded ? [`--profile-exclude=${matching('filter', excluded, filter)}`] : []),
      ...(run.profile_all ? ['--profile-all'] : []),
      ...(run.use_virtual_time ? ['--use-virtual-time'] : []),
      ...target(run.target),
      '---',
      ...programArguments(run.args),
    ],
    environment: run.environment,
    sandbox,
    limits: { duration_ms, output_bytes },
    subject: {
      runs_user_code: true,
      window_ms: duration_ms,
      rate_hz: 1 / run.cpu_sampling_rate,
    },
  });
}

/** `python -m scalene --version`: 1.5 ends with 255. */
export function scaleneVersion(program: Program, sandbox: Sandbox): Command {
  return approve({
    program,
    args: ['-m', 'scalene', '--version'],
    sandbox,
    limits: { duration_ms: 20_000, output_bytes: 4096 },
    subject: { runs_user_code: true },
  });
}

/** Naming one of memory and GPU switches the other off; the CPU is always profiled. */
function selection({ memory, gpu }: ScaleneRun): readonly string[] {
  if (!memory && !gpu) return ['--cpu-only'];
  return [...(memory ? ['--memory'] : []), ...(gpu ? ['--gpu'] : [])];
}

function stackOptions(stacks: boolean, major: number, minor: number): readonly string[] {
  const isDefault = major > 2 || (major === 2 && minor >= 3);
  if (isDefault) return stacks ? [] : ['--no-stacks'];
  return stacks ? ['--stacks'] : [];
}

function target(of: ScaleneRun['target']): readonly string[] {
  if ('module' in of) {
    const path = userPath('program_path', of.program_path);
    return [`--program-path=${path}`, '-m', matching('module', of.module, module)];
  }
  const script = userPath('script', of.script);
  if (!script.endsWith('.py')) throw new Refused('a script must end in .py');
  return [script];
}

/** The program and its arguments, for a Python program that runs another one. */
export function programWords(of: ScaleneRun['target'], args: readonly string[]): readonly string[] {
  const words = 'module' in of ? ['-m', matching('module', of.module, module)] : target(of);
  return [...words, ...programArguments(args)];
}

function programArguments(args: readonly string[]): readonly string[] {
  const bytes = args.reduce((sum, each) => sum + each.length, 0);
  if (args.length > most_args || bytes > most_arg_bytes) {
    throw new Refused(`a program gets at most ${most_args} arguments of ${most_arg_bytes} bytes`);
  }
  if (args.some((each) => each.includes('\0'))) throw new Refused('an argument holds a NUL');
  return args;
}

/** A number with a fraction: of digits and one point, never with an exponent or a sign. */
function fraction(what: string, value: number, min: number, max: number): string {
  if (!Number.isFinite(value) || value < min || value > max) {
    throw new Refused(`${what} must be from ${min} to ${max}`);
  }
  return value.toFixed(6).replace(/\.?0+$/, '');
}
