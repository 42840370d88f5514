import { approve, type Command } from './command.ts';
import { programs } from './programs.ts';

const limits = { duration_ms: 10_000, output_bytes: 8 * 1024 * 1024 };

/**
 * `perf list` of the kinds that profiling takes. As root perf mounts tracefs where it is not mounted;
 * in a mount namespace of its own nothing of that stays on the host.
 */
export function perfList(kinds: readonly ('hw' | 'sw' | 'tracepoint')[]): Command {
  return approve({
    program: programs.perf,
    args: ['list', '--no-desc', ...kinds],
    limits,
    privateMounts: true,
  });
}
