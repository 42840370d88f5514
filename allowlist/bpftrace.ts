import { approve, type Command, integer, ownPath } from './command.ts';
import { programs } from './programs.ts';

/** bpftrace compiles with LLVM before it attaches: a second, and many times that in an emulator. */
const startup_ms = 60_000;

type Script = Readonly<{
  /** A file of scripts/bpftrace/, or one that this package composed of them. */
  path: string;
  /** Positional parameters $1, $2, … : integers only. */
  parameters: readonly number[];
  /** When it is stopped, should nobody stop it before. */
  duration_ms: number;
}>;

/**
 * bpftrace runs only programs that are shipped, with integers as parameters: text from a request
 * would be as good as root, since its safe mode does not stop it from reading any file. `-f json`
 * prints one record per line; `-B line` prints it at once.
 */
export function bpftraceScript({ path, parameters, duration_ms }: Script): Command {
  return approve({
    program: programs.bpftrace,
    args: [
      ...['-f', 'json', '-B', 'line'],
      ownPath(path),
      ...parameters.map((each) => integer('parameter', each, 0, 2 ** 31)),
    ],
    limits: { duration_ms: duration_ms + startup_ms, output_bytes: 256 * 1024 * 1024 },
  });
}
