import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { basename, dirname } from 'node:path';
import { TracewrightError } from '../errors.ts';

const most_bytes = 64 * 1024;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/**
 * The text of a policy. It and its folder belong to one of `owners` and are writable by no one else;
 * all of that is asked of the open file, so that nobody can put another one there meanwhile.
 *
 * @throws TracewrightError NOT_ALLOWED with the command that makes it acceptable
 */
export function readPolicyFile(path: string, owners: readonly number[]): string {
  const folder = dirname(path);
  return withFile(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, folder, (parent) => {
    refuseWeak(folder, fstatSync(parent), owners);
    // Below the folder that was looked at, not below what its name may mean by now.
    const inside = `/proc/self/fd/${parent}/${basename(path)}`;
    return withFile(inside, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, path, (fd) => {
      const stats = fstatSync(fd);
      if (!stats.isFile()) throw refused(`${path} is not a regular file.`, `ls -l ${path}`);
      refuseWeak(path, stats, owners);
      if (stats.size > most_bytes) {
        throw refused(`${path} has more than ${most_bytes} bytes.`, `Shorten ${path}.`);
      }
      return readFileSync(fd, 'utf8');
    });
  });
}

function withFile<T>(file: string, flags: number, shown: string, work: (fd: number) => T): T {
  let fd: number;
  try {
    fd = openSync(file, flags);
  } catch (error) {
    throw refused(reasonOf(shown, error), `ls -ld ${dirname(shown)} ${shown}`, error);
  }
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}

function reasonOf(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  const links = code === 'ELOOP' || code === 'ENOTDIR';
  return links ? `${path} is a link, and a policy is none.` : `${path} cannot be read (${code}).`;
}

function refuseWeak(path: string, { uid, mode }: Stats, owners: readonly number[]): void {
  if (owners.includes(uid) && (mode & 0o022) === 0) return;
  const [owner = 0] = owners;
  throw refused(
    `${path} belongs to user ${uid} with mode ${(mode & 0o7777).toString(8)}: others than its administrator may change it, so it is no policy.`,
    `sudo chown ${owner === 0 ? 'root:root' : owner} ${path} && sudo chmod go-w ${path}`,
  );
}

const refused = (message: string, suggestion: string, cause?: unknown): TracewrightError =>
  new TracewrightError('NOT_ALLOWED', message, suggestion, cause);
