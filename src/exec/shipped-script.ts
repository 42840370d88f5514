import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type ShippedScript = Readonly<{ path: string; text: string }>;

/**
 * A program of scripts/bpftrace/ by name (never one out of a request). package.json maps "#bpftrace/" to that folder, so the same
 * line finds it in a checkout, in the bundle and where npx installed it.
 */
export function shippedScript(name: string): ShippedScript {
  if (!/^[a-z][a-z0-9-]*(?:\/[a-z][a-z0-9-]*)?$/.test(name)) throw new Error(`no script "${name}"`);
  const path = fileURLToPath(import.meta.resolve(`#bpftrace/${name}.bt`));
  return { path, text: readFileSync(path, 'utf8') };
}

/** A program of scripts/python/, as text: it is copied to where the user who runs it may read it. */
export function shippedPython(name: 'tracemalloc-probe'): string {
  return readFileSync(fileURLToPath(import.meta.resolve(`#python/${name}.py`)), 'utf8');
}
