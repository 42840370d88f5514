import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Exit status of a machine that cannot run the lab at all, as opposed to a lab that failed. */
export const cannotRunStatus = 3;

export class CannotRun extends Error {}

/** Programs of the host that the lab starts, with the Debian package that has each. */
const programs = {
  'qemu-system-x86_64': 'qemu-system-x86',
  mke2fs: 'e2fsprogs',
  'apt-get': 'apt',
  'dpkg-deb': 'dpkg',
  tar: 'tar',
};

// mke2fs is in /usr/sbin, which a normal user's PATH lacks.
const path = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];

/** Throws CannotRun with the packages to install when a program of the lab is missing. */
export function needPrograms() {
  const missing = Object.entries(programs).filter(([program]) => !isExecutable(program));
  if (missing.length === 0) return;
  const names = missing.map(([program]) => program).join(', ');
  const packages = missing.map(([, name]) => name).join(' ');
  throw new CannotRun(
    `${names} not found. Install it: sudo apt-get install --no-install-recommends ${packages}`,
  );
}

/** PATH of every program that the lab starts. */
export const programPath = path.join(delimiter);

function isExecutable(program) {
  return path.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
