import { approve, type Command, oneOf } from './command.ts';
import { programs } from './programs.ts';

const limits = { duration_ms: 10_000, output_bytes: 8 * 1024 * 1024 };

export const perfListKinds = ['hw', 'sw', 'tracepoint'] as const;
type Kind = (typeof perfListKinds)[number];

/**
 * `perf list` of the kinds that profiling takes. As root perf mounts tracefs where it is not mounted;
 * in a mount namespace of its own nothing of that stays on the host.
 */
export function perfList(kinds: readonly Kind[]): Command {
  return approve({
    program: programs.perf,
    args: ['list', '--no-desc', ...kinds.map((each) => oneOf('kind', each, perfListKinds))],
    limits,
    privateMounts: true,
    request: { maker: 'perfList', parameters: { kinds } },
  });
}
