import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sandbox } from '../../allowlist/command.ts';
import { scratchPrefix } from './scratch.ts';

/** A folder in which a program of a user's may write, and that goes with it. */
export type Workspace = Readonly<{
  path: string;
  /** Writes a file that the user may read, and gives its path. */
  write(name: string, text: string): string;
  /** Null where there is no such file, or it is larger than that. */
  read(name: string, maxBytes: number): string | null;
  /** Removes what the user has left in the shared /tmp under such a name since this was made. */
  sweepShared(name: RegExp): void;
  remove(): void;
}>;

const shared = '/tmp';

/** The folder around it is ours, so that what a killed server left is swept like our own. */
export function userWorkspace(user: Sandbox['user']): Workspace {
  const outer = mkdtempSync(join(tmpdir(), `${scratchPrefix}${process.pid}-`));
  const remove = (): void => rmSync(outer, { recursive: true, force: true });
  process.once('exit', remove);
  const path = join(outer, 'run');
  const made_ms = Date.now();
  mkdirSync(path, { mode: 0o700 });
  if (user) {
    chmodSync(outer, 0o711);
    chownSync(path, user.uid, user.gid);
  }
  return {
    path,
    write(name, text) {
      const file = join(path, name);
      writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
      if (user) chownSync(file, user.uid, user.gid);
      return file;
    },
    read(name, maxBytes) {
      const file = join(path, name);
      // The user may have put anything there: a link, a pipe, or a file without end.
      let fd: number;
      try {
        fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      } catch {
        return null;
      }
      try {
        const stats = fstatSync(fd);
        return stats.isFile() && stats.size <= maxBytes ? readFileSync(fd, 'utf8') : null;
      } finally {
        closeSync(fd);
      }
    },
    sweepShared(name) {
      const uid = user?.uid ?? process.geteuid?.();
      for (const each of readdirSync(shared).filter((file) => name.test(file))) {
        const file = join(shared, each);
        const stats = lstatSync(file, { throwIfNoEntry: false });
        if (stats?.isFile() && stats.uid === uid && stats.ctimeMs >= made_ms) {
          rmSync(file, { force: true });
        }
      }
    },
    remove() {
      process.off('exit', remove);
      remove();
    },
  };
}
