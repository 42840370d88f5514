import { approve, type Command, integer, ownPath, type Program, userPath } from './command.ts';

const packages = { apt: 'py-spy', dnf: 'py-spy' };

const systems: Program = {
  name: 'py-spy',
  candidates: ['/usr/local/bin/py-spy', '/usr/bin/py-spy'],
  packages,
};

/** py-spy of the system; before it the one beside a Python that the operator has chosen. */
export function pySpies(interpreter: string | null): readonly Program[] {
  if (interpreter?.startsWith('/') !== true) return [systems];
  const path = userPath('python', `${interpreter.slice(0, interpreter.lastIndexOf('/'))}/py-spy`);
  return [{ name: path, candidates: [path], packages }, systems];
}

type Recording = Readonly<{
  program: Program;
  pid: number;
  duration_s: number;
  rate_hz: number;
  /** A file of our own. */
  output: string;
}>;

/**
 * `py-spy record` of a process that runs. It reads the process's memory and, with --nonblocking, does
 * not stop it meanwhile. Idle threads are left out. On SIGINT it writes what it has.
 */
export function pySpyRecord({ program, pid, duration_s, rate_hz, output }: Recording): Command {
  return approve({
    program,
    args: [
      'record',
      ...['--pid', integer('pid', pid, 1, 4_194_304)],
      ...['--duration', integer('duration_s', duration_s, 1, 600)],
      ...['--rate', integer('rate_hz', rate_hz, 1, 1000)],
      ...['--format', 'raw', '--full-filenames', '--nonblocking'],
      ...['--output', ownPath(output)],
    ],
    limits: { duration_ms: duration_s * 1000 + 10_000, output_bytes: 64 * 1024 },
  });
}
