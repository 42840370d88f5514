import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  type Stats,
  write,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { TracewrightError } from '../errors.ts';
import { privateFolder, stateFolder } from '../store/state-folder.ts';

/** Where lines go. `done` gets null, or why they were not written. */
export type AuditSink = Readonly<{
  place: string;
  write(text: string, done: (error: Error | null) => void): void;
  /** For the last moments of a process. */
  writeNow(text: string): void;
}>;

const file_name = 'audit.jsonl';
const largest_bytes = 10 * 1024 * 1024;
/** With the one that is written. */
const files = 5;
const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** As root the log folder of the system, else the state folder of the user. */
export const usualAuditFile = (state = stateFolder()): string =>
  process.geteuid?.() === 0
    ? join('/var/log/tracewright', file_name)
    : join(state, 'audit', file_name);

/**
 * Lines at the end of a file that only we can read, in a folder of our own where `ownFolder` says
 * so. At 10 MiB it becomes FILE.1, that one FILE.2, and so on: five in all. Several servers may write
 * to it: one that finds the file replaced opens the new one.
 *
 * @throws TracewrightError NOT_ALLOWED, EXECUTION_FAILED where it cannot be written
 */
export function auditFile(path: string, ownFolder: boolean, limit = largest_bytes): AuditSink {
  let fd = open(path, ownFolder);

  function current(): number {
    const stats = fstatSync(fd);
    const isThere = isSame(stats, path);
    if (isThere && stats.size < limit) return fd;
    if (isThere) rotate(path);
    // Where that fails the old one stays: its number could be another file's by the next line.
    const next = open(path, ownFolder);
    closeSync(fd);
    fd = next;
    return fd;
  }

  return {
    place: path,
    write(text, done) {
      try {
        const bytes = Buffer.from(text);
        write(current(), bytes, 0, bytes.length, null, (error, written) => {
          done(error ?? (written < bytes.length ? new Error('the disk is full') : null));
        });
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
      }
    },
    writeNow: (text) => void writeSync(current(), text),
  };
}

function isSame({ ino, dev }: Stats, path: string): boolean {
  const now = lstatSync(path, { throwIfNoEntry: false });
  return now?.ino === ino && now.dev === dev;
}

function open(path: string, ownFolder: boolean): number {
  try {
    if (ownFolder) privateFolder(dirname(path));
    const flags = O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK;
    const fd = openSync(path, flags, 0o600);
    if (isOurs(fstatSync(fd))) return fd;
    closeSync(fd);
  } catch (error) {
    throw error instanceof TracewrightError ? error : notWritten(path, error);
  }
  throw new TracewrightError(
    'NOT_ALLOWED',
    `${path} is not a plain file of ours, or others may write to it: it is no audit file.`,
    `Move it away: mv ${path} ${path}.old`,
  );
}

/** Another name of the file could be one that is read by others. */
const isOurs = (stats: Stats): boolean =>
  stats.isFile() &&
  stats.uid === process.geteuid?.() &&
  (stats.mode & 0o022) === 0 &&
  stats.nlink === 1;

const nameOf = (path: string, number: number): string =>
  number === 0 ? path : `${path}.${number}`;

function rotate(path: string): void {
  for (let number = files - 2; number >= 0; number--) {
    if (existsSync(nameOf(path, number)))
      renameSync(nameOf(path, number), nameOf(path, number + 1));
  }
}

/** The lines of all files, oldest first. EXECUTION_FAILED where one may not be read. */
export function* auditLines(path: string): Generator<string> {
  for (let number = files - 1; number >= 0; number--) {
    const name = nameOf(path, number);
    if (!lstatSync(name, { throwIfNoEntry: false })) continue;
    yield* linesOf(name);
  }
}

function linesOf(name: string): readonly string[] {
  let fd: number;
  try {
    fd = openSync(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    throw notRead(error);
  }
  try {
    return fstatSync(fd).isFile() ? readFileSync(fd, 'utf8').split('\n') : [];
  } finally {
    closeSync(fd);
  }
}

function notWritten(path: string, error: unknown): TracewrightError {
  const reason = error instanceof Error ? error.message : String(error);
  return new TracewrightError(
    'EXECUTION_FAILED',
    `The audit file ${path} cannot be written: ${reason}`,
    'Start with --audit FILE elsewhere, or --audit none.',
    error,
  );
}

function notRead(error: unknown): TracewrightError {
  const reason = error instanceof Error ? error.message : String(error);
  return new TracewrightError(
    'PERMISSION_DENIED',
    `The audit file cannot be read: ${reason}`,
    'sudo tracewright audit',
    error,
  );
}
