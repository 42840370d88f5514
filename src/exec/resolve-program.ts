import { statSync } from 'node:fs';
import type { Program } from '../../allowlist/command.ts';
import { TracewrightError } from '../errors.ts';

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
    const othersMayReplace = stats.uid !== 0 || (stats.mode & 0o022) !== 0;
    if (process.geteuid?.() === 0 && othersMayReplace) return { problem: 'unsafe', path };
    found.set(program.name, path);
    return { path };
  }
  return { problem: 'missing', path: null };
}

/** The absolute path, or TOOL_NOT_FOUND / NOT_ALLOWED with the command that helps. */
export function resolveProgram(program: Program): string {
  const resolved = findProgram(program);
  if (!('problem' in resolved)) return resolved.path;
  if (resolved.problem === 'unsafe') {
    throw new TracewrightError(
      'NOT_ALLOWED',
      `${resolved.path} is not owned by root or is writable by others, so root does not run it.`,
      `sudo chown root:root ${resolved.path} && sudo chmod 755 ${resolved.path}`,
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
