import { lstatSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { TracewrightError } from '../errors.ts';

/** As the XDG base directories have it: below the home of the user, which stays on this host. */
export const stateFolder = (): string => join(homedir(), '.local/state/tracewright');

/**
 * Ours alone: a link, or a folder of someone else, is refused rather than followed. EXECUTION_FAILED
 * where it cannot be made: a home that is read-only, not ours or not there.
 */
export function privateFolder(path: string): void {
  requirePrivate(path);
  usable(path, () => mkdirSync(path, { recursive: true, mode: 0o700 }));
  requirePrivate(path);
}

function usable<T>(path: string, use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw notUsable(path, error);
  }
}

function notUsable(path: string, error: unknown): TracewrightError {
  const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return new TracewrightError(
    'EXECUTION_FAILED',
    `${path} cannot be used (${reason}).`,
    'Start it with --state-dir and a folder of your own.',
    error,
  );
}

/** NOT_ALLOWED where the folder is there and others may put something into it. */
export function requirePrivate(path: string): void {
  const stats = usable(path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (stats === undefined) return;
  if (!stats.isDirectory() || stats.uid !== process.geteuid?.() || (stats.mode & 0o022) !== 0) {
    throw new TracewrightError(
      'NOT_ALLOWED',
      `${path} is a link, belongs to someone else or is writable by others.`,
      `Remove it, or start the server with --state-dir and a folder of your own.`,
    );
  }
}
