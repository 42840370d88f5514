import { approve, type Command, fileNameOf, integer, ownPath } from './command.ts';
import { programs } from './programs.ts';

type Summary = Readonly<{
  /** A process with its threads; null: all. */
  pid: number | null;
  /** After this it is told to end, and prints its summary. */
  duration_ms: number;
  /** A file of our own: it prints on stderr, of which only the first KiB are kept. */
  output: string;
}>;

/** `perf trace -s`: counts and times of system calls by thread, as text for parsers/perf-trace. */
export function perfTraceSummary({ pid, duration_ms, output }: Summary): Command {
  const target = pid === null ? ['-a'] : ['-p', integer('pid', pid, 1, 4_194_304)];
  return approve({
    program: programs.perf,
    args: ['trace', '-s', ...target, '-o', ownPath(output)],
    privateMounts: true,
    limits: { duration_ms, output_bytes: 64 * 1024 },
    subject: { watches: pid === null ? 'all' : { pid }, window_ms: duration_ms },
    request: {
      maker: 'perfTraceSummary',
      parameters: { pid, duration_ms, output: fileNameOf(output) },
    },
  });
}
