import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type ShippedScript = Readonly<{ path: string; text: string }>;

/**
 * A program of scripts/bpftrace/ by name. package.json maps "#bpftrace/" to that folder, so the same
 * line finds it in a checkout, in the bundle and where npx installed it.
 */
export function shippedScript(name: 'dsq'): ShippedScript {
  const path = fileURLToPath(import.meta.resolve(`#bpftrace/${name}.bt`));
  return { path, text: readFileSync(path, 'utf8') };
}
