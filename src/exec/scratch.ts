import {
  closeSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TracewrightError, toTracewrightError } from '../errors.ts';

/** Files of ours, in a directory that only we can enter and that goes when we go. */
export type Scratch = Readonly<{
  path(name: string): string;
  /** Writes a file that only we can read, and gives its path. */
  write(name: string, text: string): string;
  /** Bytes of a file from an offset on; empty at its end or where there is no such file. */
  readFrom(name: string, offset: number, maxBytes: number): Promise<Uint8Array>;
  remove(name: string): void;
}>;

/** Folders of ours in the temporary directory: user, then process. */
export const scratchPrefix = `tracewright-${process.geteuid?.() ?? 0}-`;

/** The directory is made on first use; directories of servers that were killed are swept then. */
export function scratchSpace(): Scratch {
  let directory: string | undefined;

  function own(): string {
    if (directory === undefined) {
      requireOwnNames(tmpdir());
      sweep();
      directory = mkdtempSync(join(tmpdir(), `${scratchPrefix}${process.pid}-`));
      const made = directory;
      process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    }
    return directory;
  }

  const path = (name: string): string => {
    if (!/^[\w.-]{1,64}$/.test(name) || name.startsWith('.')) throw new Error(`bad name: ${name}`);
    return join(own(), name);
  };

  return {
    path,
    write(name, text) {
      try {
        const file = path(name);
        writeFileSync(file, text, { mode: 0o600 });
        return file;
      } catch (error) {
        throw toTracewrightError(error);
      }
    },
    readFrom(name, offset, maxBytes) {
      const file = path(name);
      const empty = Promise.resolve(new Uint8Array());
      if (!statSync(file, { throwIfNoEntry: false })) return empty;
      const fd = openSync(file, 'r');
      try {
        const data = Buffer.allocUnsafe(maxBytes);
        return Promise.resolve(data.subarray(0, readSync(fd, data, 0, maxBytes, offset)));
      } finally {
        closeSync(fd);
      }
    },
    remove: (name) => rmSync(path(name), { force: true }),
  };
}

/** Where others may rename what is ours they could put a folder of theirs in its place. */
function requireOwnNames(folder: string): void {
  const { mode } = statSync(folder);
  if ((mode & 0o022) === 0 || (mode & 0o1000) !== 0) return;
  throw new TracewrightError(
    'NOT_ALLOWED',
    `${folder} is writable by others and not sticky: whoever may write there could replace files of ours.`,
    `sudo chmod +t ${folder}, or set TMPDIR to a folder of your own.`,
  );
}

function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(scratchPrefix)
      ? Number(name.slice(scratchPrefix.length).split('-')[0])
      : 0;
    if (pid > 0 && !isAlive(pid)) sweepOne(join(tmpdir(), name));
  }
}

/** Only a real directory of our own user: /tmp is open to everybody, and so are its names. */
function sweepOne(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory() && stats.uid === process.geteuid?.()) {
    rmSync(path, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
