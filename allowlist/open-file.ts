import { approve, type Command, userPath } from './command.ts';
import { programs } from './programs.ts';

/** Shows a file of ours in the desktop's own viewer. An absolute path is never an option or a URL. */
export function openFile(path: string): Command {
  return approve({
    program: programs.xdgOpen,
    args: [userPath('file', path)],
    limits: { duration_ms: 10_000, output_bytes: 0 },
  });
}
