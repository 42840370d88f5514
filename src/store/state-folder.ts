import { lstatSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { TracewrightError } from '../errors.ts';

/** As the XDG base directories have it: below the home of the user, which stays on this host. */
export const stateFolder = (): string => join(homedir(), '.local/state/tracewright');

/** Ours alone: a link, or a folder of someone else, is refused rather than followed. */
export function privateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stats = lstatSync(path);
  if (!stats.isDirectory() || stats.uid !== process.geteuid?.() || (stats.mode & 0o022) !== 0) {
    throw new TracewrightError(
      'NOT_ALLOWED',
      `${path} is a link, belongs to someone else or is writable by others.`,
      `Remove it, or start the server with --state-dir and a folder of your own.`,
    );
  }
}
