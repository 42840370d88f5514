import { spawnSync } from 'node:child_process';

const nobody = 65_534;

/**
 * Whether this process may become another user for a while. Only root may, and a Node.js that was
 * built with io_uring on (Debian's) refuses it to root too.
 */
export const mayBecomeNobody: boolean =
  process.geteuid?.() === 0 &&
  spawnSync(process.execPath, ['-e', `process.seteuid(${nobody})`]).status === 0;

export const becomeNobody = (): void => process.seteuid?.(nobody);
export const becomeRoot = (): void => process.seteuid?.(0);
