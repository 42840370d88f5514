import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TracewrightError } from '../errors.ts';

export type ShippedScript = Readonly<{ path: string; text: string }>;

/**
 * A program of scripts/bpftrace/ by name (never one out of a request). package.json maps "#bpftrace/" to that folder, so the same
 * line finds it in a checkout, in the bundle and where npx installed it.
 */
export function shippedScript(name: string): ShippedScript {
  if (!/^[a-z][a-z0-9-]*(?:\/[a-z][a-z0-9-]*)?$/.test(name)) throw new Error(`no script "${name}"`);
  const path = fileURLToPath(import.meta.resolve(`#bpftrace/${name}.bt`));
  requireUnchanged(path);
  return { path, text: readFileSync(path, 'utf8') };
}

/**
 * As root NOT_ALLOWED for a script that someone may replace who could not replace this program: it is
 * run with all rights. `own` is this program.
 */
export function requireUnchanged(path: string, own = fileURLToPath(import.meta.url)): void {
  if (process.geteuid?.() !== 0) return;
  const owners = [0, statSync(own).uid];
  const weak = [path, dirname(path)].find((each) => {
    const { uid, mode } = statSync(each);
    return !owners.includes(uid) || (mode & 0o022) !== 0;
  });
  if (weak === undefined) return;
  throw new TracewrightError(
    'NOT_ALLOWED',
    `${weak} is writable by others or not owned by root, so root does not run what is in it.`,
    `sudo chown root:root ${weak} && sudo chmod go-w ${weak}`,
  );
}

/** A program of scripts/python/, as text: it is copied to where the user who runs it may read it. */
export function shippedPython(name: 'tracemalloc-probe'): string {
  return readFileSync(fileURLToPath(import.meta.resolve(`#python/${name}.py`)), 'utf8');
}
