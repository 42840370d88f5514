/**
 * A program that this package may start. Candidates are tried in order and are always absolute:
 * PATH is never searched, so nobody can put another program in front.
 */
export type Program = Readonly<{
  name: string;
  candidates: readonly string[];
  /** Package that ships the program, by package manager. */
  packages: Readonly<{ apt: string; dnf: string }>;
}>;

export type Limits = Readonly<{
  /** Wall-clock time before the program is told to stop. */
  duration_ms: number;
  /** Bytes of stdout kept, or streamed, before the program is told to stop. */
  output_bytes: number;
}>;

/**
 * How a program that is not a tool but a user's own runs: as whom, where, and with how much memory.
 * It gets process ids of its own, so that whatever it forks ends with it.
 */
export type Sandbox = Readonly<{
  /** Null: as ourselves. */
  user: Readonly<{ uid: number; gid: number }> | null;
  cwd: string;
  memory_bytes: number;
}>;

/** What a command looks at, for the limits that an administrator may set. */
export type Subject = Readonly<{
  /** Whose doings it tells: those of one process, of all, or of none (listings, sums, counters). */
  watches: 'none' | 'all' | Readonly<{ pid: number }>;
  /** How long it is asked to watch; its limit is above that by what starting and printing take. */
  window_ms: number | null;
  rate_hz: number | null;
  /** Functions of the kernel that the caller chose to be probed. */
  functions: readonly string[];
  /** It runs a program of a user's. */
  runs_user_code: boolean;
}>;

/**
 * What a command was made from: a maker of this folder and what it was told. Whoever lacks the rights
 * sends this, and never the command line, to a helper that has them and makes the command anew.
 */
export type CommandRequest = Readonly<{
  maker: PrivilegedMaker;
  parameters: Readonly<Record<string, unknown>>;
}>;

/** Makers whose programs need rights that an ordinary user has not. See requests.ts. */
export const privilegedMakers = [
  'bpftoolShow',
  'bpftoolStructOpsDump',
  'bpftoolFeatureProbe',
  'bpftraceScript',
  'kernelMessages',
  'kernelList',
  'perfList',
  'perfRecord',
  'perfRecordEvents',
  'perfScript',
  'perfScriptEvents',
  'perfStatPerCpu',
  'perfTraceSummary',
  'traceTool',
  'bpfStatsWindow',
] as const;
export type PrivilegedMaker = (typeof privilegedMakers)[number];

/** When a program lets what runs on the host go first; counted in lines of its output. */
export type GivesWay = Readonly<{
  /** Until it has printed so many. */
  ready_line: number;
  /** With this one it begins to watch, for so long; then it lets others go first again. */
  watches_line: number;
  window_ms: number;
}>;

declare const approved: unique symbol;

/**
 * A command line that the allowlist vouches for. Only this folder can make one (the brand has no
 * other source), and src/exec/ starts nothing else.
 */
export type Command = Readonly<{
  program: Program;
  args: readonly string[];
  /** What asks the program to finish and still print what it has. SIGKILL to its group follows. */
  stopSignal: 'SIGINT' | 'SIGTERM';
  limits: Limits;
  /** Extra pipes from file descriptor 3 on, for programs with a control channel. */
  controlPipes: number;
  /**
   * Runs the program in a mount namespace of its own, so that a file system it mounts for itself
   * (perf mounts tracefs) is gone with it instead of staying on the host.
   */
  privateMounts: boolean;
  /**
   * The program needs tracefs and does not mount it: where no one has, it runs in a mount namespace
   * in which tracefs is there for it alone.
   */
  needsTracefs: boolean;
  /** Set for programs of users. */
  sandbox: Sandbox | null;
  /** Settings that the program takes from its environment only; constants of this folder. */
  environment: Readonly<Record<string, string>>;
  /** What the kernel sends the program when this process dies. */
  parentDeathSignal: 'KILL' | 'TERM';
  /** Nice value, where we may give it: below 0 goes before what runs on the host by default. */
  nice: number;
  /** Null: it runs as others do. */
  gives_way: GivesWay | null;
  subject: Subject;
  /** Null: it is run as ourselves only. */
  request: CommandRequest | null;
  readonly [approved]: true;
}>;

type CommandParts = Pick<Command, 'program' | 'args' | 'limits'> &
  Partial<Omit<Command, typeof approved | 'subject'>> &
  Readonly<{ subject?: Partial<Subject> }>;

const nothing: Subject = {
  watches: 'none',
  window_ms: null,
  rate_hz: null,
  functions: [],
  runs_user_code: false,
};

/** What timers take: they fire at once for more, and for what is no number. */
const longest_ms = 2 ** 31 - 1;
const most_bytes = Number.MAX_SAFE_INTEGER;

/** The only source of commands; Refused where a limit would be none. */
export function approve(parts: CommandParts): Command {
  const { duration_ms, output_bytes } = parts.limits;
  if (!(duration_ms > 0 && duration_ms <= longest_ms)) {
    throw new Refused(`a program runs for up to ${longest_ms} ms`);
  }
  if (!(output_bytes >= 0 && output_bytes <= most_bytes)) {
    throw new Refused(`a program prints up to ${most_bytes} bytes`);
  }
  const command = {
    stopSignal: 'SIGINT',
    controlPipes: 0,
    privateMounts: false,
    needsTracefs: false,
    sandbox: null,
    environment: {},
    parentDeathSignal: 'KILL',
    nice: 0,
    gives_way: null,
    request: null,
    ...parts,
    subject: { ...nothing, ...parts.subject },
  };
  return command as unknown as Command;
}

/** Thrown when a value does not fit the grammar of an argument. Becomes NOT_ALLOWED. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** An integer argument, or Refused. Numbers reach an argv only through here. */
export function integer(what: string, value: number, min: number, max: number): string {
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new Refused(`${what} must be a whole number from ${min} to ${max}`);
  }
  return String(value);
}

/** One of these words, or Refused: types are gone when a value has come from outside. */
export function oneOf<T extends string>(what: string, value: T, known: readonly T[]): T {
  if (!known.includes(value)) throw new Refused(`${what} must be one of: ${known.join(', ')}`);
  return value;
}

/** Text that matches an anchored pattern which cannot start with a dash, or Refused. */
export function matching(what: string, value: string, pattern: RegExp): string {
  if (value.startsWith('-') || !pattern.test(value)) {
    throw new Refused(`${what} is not of the form ${pattern.source}`);
  }
  return value;
}

/**
 * An absolute path as users name their files: any printable characters, without "..". For what the
 * caller has resolved and found below an allowed folder.
 */
export function userPath(what: string, path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  if (!/^\/[^\u0000-\u001f\u007f]{0,4095}$/.test(path) || path.split('/').includes('..')) {
    throw new Refused(`${what} must be an absolute path of printable characters without ".."`);
  }
  return path;
}

/**
 * An absolute path of plain characters and spaces, without "..": for files of our own private directory,
 * never for a path out of a request.
 */
export function ownPath(path: string): string {
  if (path.split('/').includes('..')) throw new Refused('a path must not contain ".."');
  // Home folders have spaces; no shell reads them.
  return matching('path', path, /^\/[\w./@+ -]{1,1000}$/);
}

/** The name of a file of ours: what a helper calls its own file by. */
export const fileNameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
