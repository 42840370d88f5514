import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/**
 * The text of a file that we have written ourselves: regular, of our own user, and known by one name.
 * Null for anything that was put in its place (a link, a pipe, a hard link to the file of another),
 * without waiting for it, and where there is none.
 */
export function readOwnFile(path: string): string | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const stats = fstatSync(fd);
    const isOwn = stats.isFile() && stats.uid === process.geteuid?.() && stats.nlink === 1;
    return isOwn ? readFileSync(fd, 'utf8') : null;
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}
