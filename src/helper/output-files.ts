import { Refused } from '../../allowlist/command.ts';
import type { Scratch } from '../exec/scratch.ts';

/** Files that programs of a session write, by the names that its client gave them. */
export type OutputFiles = Readonly<{
  path(name: string): string;
  /** Makes room for one that is written anew: perf would keep the last one beside it. */
  begin(name: string): void;
  readFrom(name: string, offset: number, bytes: number): Promise<Uint8Array>;
  remove(name: string): void;
}>;

const most_files = 8;
/** What a client may call a file. The prefix keeps these apart from programs that are composed. */
const file_name = /^[a-z][a-z0-9_-]{0,50}\.(?:data|txt)$/;
const prefix = 'out-';

/** At most eight at a time, in the private folder of the helper. */
export function outputFiles(scratch: Scratch): OutputFiles {
  const known = new Set<string>();
  const own = (name: string): string => {
    if (!file_name.test(name)) throw new Refused('this is no name of a file');
    return `${prefix}${name}`;
  };
  const path = (name: string): string => {
    const file = own(name);
    if (!known.has(file) && known.size >= most_files) {
      throw new Refused(`a helper keeps at most ${most_files} files`);
    }
    known.add(file);
    return scratch.path(file);
  };
  // perf keeps what it finds under the name of its output.
  const clear = (name: string): void => {
    for (const file of [own(name), `${own(name)}.old`]) scratch.remove(file);
  };
  return {
    path,
    begin(name) {
      path(name);
      clear(name);
    },
    // Async: a name that is refused rejects.
    readFrom: async (name, offset, bytes) => await scratch.readFrom(own(name), offset, bytes),
    remove(name) {
      if (!file_name.test(name)) return;
      known.delete(own(name));
      clear(name);
    },
  };
}
