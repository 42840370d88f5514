import { approve, type Command, type Program } from './command.ts';
import { programs } from './programs.ts';

/** Asks a program for its version. bpftool knows the word only without dashes. */
export function versionOf(program: Program): Command {
  return approve({
    program,
    args: [program.name === programs.bpftool.name ? 'version' : '--version'],
    limits: { duration_ms: 20_000, output_bytes: 16 * 1024 },
  });
}
