import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import type { Sandbox } from '../../allowlist/command.ts';
import { TracewrightError } from '../errors.ts';

/** A file of a user's, below an allowed folder, with links resolved. */
export type UserFile = Readonly<{ path: string; owner: Readonly<{ uid: number; gid: number }> }>;

/** What roots are for, and the option that names them: for those who are refused. */
export type Allowance = Readonly<{ what: string; option: string }>;

const programs_allowed: Allowance = {
  what: 'the folders whose programs may be run',
  option: '--python-root',
};

const nobody = { uid: 65_534, gid: 65_534 };

/** A path out of a request: below a root after every link is followed, or NOT_ALLOWED. */
export function userFile(
  path: string,
  roots: readonly string[],
  kind: 'file' | 'folder',
  allowed: Allowance = programs_allowed,
): UserFile {
  const [first = '/'] = roots;
  const asked = resolve(first, path);
  // A file outside is refused before its absence is told: what exists there is nobody's business.
  if (!isBelow(asked, roots)) throw outside(path, roots, allowed);
  const real = realPath(asked);
  if (real === null) throw missing(path, kind, allowed);
  if (!isBelow(real, roots)) throw outside(path, roots, allowed);
  const stats = statSync(real);
  if (kind === 'file' ? !stats.isFile() : !stats.isDirectory()) throw missing(path, kind, allowed);
  return { path: real, owner: { uid: stats.uid, gid: primaryGroup(stats.uid) ?? stats.gid } };
}

/**
 * As whom a program of a user's runs. Root runs none itself unless the operator says so: it hands
 * over to the owner of the program, and to nobody where that is root.
 */
export function programUser(owner: UserFile['owner'] | null, asRoot: boolean): Sandbox['user'] {
  if (process.geteuid?.() !== 0 || asRoot) return null;
  return owner === null || owner.uid === 0 ? nobody : owner;
}

/** Pythons of virtual environments beside a program, nearest first, none above its root. */
export function environmentPythons(from: string, roots: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (let folder = from; isBelow(folder, roots); folder = dirname(folder)) {
    for (const name of ['.venv', 'venv']) {
      const python = join(folder, name, 'bin/python');
      if (statSync(python, { throwIfNoEntry: false })?.isFile()) found.push(python);
    }
    if (folder === dirname(folder)) break;
  }
  return found;
}

function isBelow(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => {
    const real = realPath(root) ?? root;
    return [root, real].some(
      (each) => path === each || path.startsWith(each.endsWith(sep) ? each : each + sep),
    );
  });
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

/** From /etc/passwd; users of a directory service have none there. */
function primaryGroup(uid: number): number | null {
  const line = new RegExp(`^[^:]*:[^:]*:${uid}:(\\d+):`, 'm').exec(
    readFileSync('/etc/passwd', 'utf8'),
  );
  return line?.[1] === undefined ? null : Number(line[1]);
}

const outside = (
  path: string,
  roots: readonly string[],
  { what, option }: Allowance,
): TracewrightError =>
  new TracewrightError(
    'NOT_ALLOWED',
    `${path.slice(0, 200)} is outside ${what}: ${roots.join(', ') || 'none is named'}.`,
    `Start the server with ${option} FOLDER (repeat it for more).`,
  );

const missing = (path: string, kind: string, { option }: Allowance): TracewrightError =>
  new TracewrightError(
    'INVALID_PARAMS',
    `There is no ${kind} ${path.slice(0, 200)}.`,
    `Give an absolute path, or one relative to the first ${option}.`,
  );
