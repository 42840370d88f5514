import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { TracewrightError } from '../errors.ts';
import { userFile } from './user-files.ts';

/** A file that is read from front to back, once. */
export type ImportFile = Readonly<{
  path: string;
  owner: Readonly<{ uid: number; gid: number }>;
  bytes: number;
  /** The first bytes, at most 4096. */
  head: Uint8Array;
  /** Pieces of the file, valid until the next one; the last is followed by null. */
  next(): Uint8Array | null;
  close(): void;
}>;

const largest_bytes = 4 * 1024 ** 3;
const piece_bytes = 1024 * 1024;
const allowed = {
  what: 'the folders from which profiles may be imported',
  option: '--import-root',
};

/** Started by a desktop client the working folder is "/": all files of the host are no root. */
export const usualImportRoots = (): readonly string[] =>
  process.cwd() === '/' ? [] : [process.cwd()];

/**
 * Opens a file for an import: below a root after every link is followed, a regular file, of bounded
 * size; else NOT_ALLOWED or INVALID_PARAMS.
 */
export function openImport(path: string, roots: readonly string[]): ImportFile {
  const { path: real, owner } = userFile(path, roots, 'file', allowed);
  // What was resolved may be another file by now: no link is followed any more, no pipe waited for.
  const fd = open(real);
  // A folder on the way may have become a link: then it is opened under another name.
  if (readlinkSync(`/proc/self/fd/${fd}`) !== real) {
    closeSync(fd);
    throw unreadable(real, new Error('it was moved meanwhile'));
  }
  const stats = fstatSync(fd);
  if (!stats.isFile() || stats.size > largest_bytes) {
    closeSync(fd);
    throw new TracewrightError(
      'NOT_ALLOWED',
      `${real} is no regular file of at most ${largest_bytes} bytes.`,
      'Import a smaller recording.',
    );
  }
  const first = Buffer.alloc(Math.min(4096, stats.size));
  readSync(fd, first, 0, first.length, 0);
  const buffer = Buffer.allocUnsafe(piece_bytes);
  let at = 0;
  return {
    path: real,
    owner,
    bytes: stats.size,
    head: first,
    next() {
      const read = readSync(fd, buffer, 0, Math.min(piece_bytes, stats.size - at), at);
      at += read;
      return read === 0 ? null : buffer.subarray(0, read);
    },
    close: () => closeSync(fd),
  };
}

function open(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

const unreadable = (path: string, cause: unknown): TracewrightError =>
  new TracewrightError(
    'PERMISSION_DENIED',
    `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    `sudo chmod a+r ${path}`,
    cause,
  );
