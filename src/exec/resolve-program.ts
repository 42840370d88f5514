import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Program } from '../../allowlist/command.ts';
import { TracewrightError } from '../errors.ts';

/** `path` of an unsafe program is what others may write: the file or the folder it lies in. */
export type Resolved = Readonly<
  { path: string } | { problem: 'missing' | 'unsafe'; path: string | null }
>;

const found = new Map<string, string>();

/**
 * The first candidate that is there and may be trusted. As root, a program that anyone but root can
 * replace is refused: running it would hand root to whoever owns it.
 */
export function findProgram(program: Program): Resolved {
  const known = found.get(program.name);
  if (known !== undefined) return { path: known };
  for (const path of program.candidates) {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats?.isFile() || (stats.mode & 0o111) === 0) continue;
    const weak = process.geteuid?.() === 0 ? weakSpot(path) : undefined;
    if (weak !== undefined) return { problem: 'unsafe', path: weak };
    found.set(program.name, path);
    return { path };
  }
  return { problem: 'missing', path: null };
}

/** The file, or a folder on the way to it, that someone else than root may replace. */
function weakSpot(path: string): string | undefined {
  const real = realpathSync(path);
  return [real, dirname(real), dirname(path)].find((each) => {
    const stats = statSync(each);
    // In a sticky folder only the owner of a file can replace it.
    const sticky = stats.isDirectory() && (stats.mode & 0o1000) !== 0;
    return stats.uid !== 0 || ((stats.mode & 0o022) !== 0 && !sticky);
  });
}

/** A program that runs as another user endangers nobody but them: whoever may replace it. */
export function findUserProgram(program: Program): Resolved {
  const path = program.candidates.find((each) =>
    statSync(each, { throwIfNoEntry: false })?.isFile(),
  );
  return path === undefined ? { problem: 'missing', path: null } : { path };
}

/** The absolute path, or TOOL_NOT_FOUND / NOT_ALLOWED with the command that helps. */
export function resolveProgram(program: Program, find = findProgram): string {
  const resolved = find(program);
  if (!('problem' in resolved)) return resolved.path;
  if (resolved.problem === 'unsafe') {
    throw new TracewrightError(
      'NOT_ALLOWED',
      `${resolved.path} is not owned by root or is writable by others, so root does not run ${program.name}.`,
      `sudo chown root:root ${resolved.path} && sudo chmod go-w ${resolved.path}`,
    );
  }
  throw new TracewrightError(
    'TOOL_NOT_FOUND',
    `${program.name} is not installed.`,
    installCommand(program),
  );
}

/** The command that installs the program on this distribution. */
export function installCommand(program: Program): string {
  const dnf = statSync('/usr/bin/dnf', { throwIfNoEntry: false }) !== undefined;
  return dnf
    ? `sudo dnf install ${program.packages.dnf}`
    : `sudo apt-get install ${program.packages.apt}`;
}
