import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { weakPlace, weakPlaceBelow } from '../exec/root-owned.ts';
import { ownBundle } from '../paths.ts';

/** Node.js and the bundle that a helper runs with. */
export type HelperProgram = Readonly<{ node: string; bundle: string }>;

/** Where npm installs packages for all users. */
const known_bundles = ['/usr/local/lib', '/usr/lib', '/opt/tracewright/lib'].map(
  (prefix) => `${prefix}/node_modules/tracewright/dist/cli.js`,
);
const known_nodes = ['/usr/bin/node', '/usr/local/bin/node'];

/**
 * The Node.js and the bundle that root alone may change: our own, else those that are installed for
 * all users. `weak` is what somebody else may write.
 */
export function helperProgram(
  bundles: readonly string[] = [ownBundle(), ...known_bundles],
): HelperProgram | Readonly<{ weak: string }> {
  const nodes = [process.execPath, ...known_nodes].filter((path) => existsSync(path));
  const node = nodes.find((path) => weakPlace(path) === null);
  if (node === undefined) return { weak: process.execPath };
  const bundle = bundles.find((path) => existsSync(path) && weakPackage(path) === null);
  if (bundle !== undefined) return { node, bundle };
  const [first = ownBundle()] = bundles;
  return { weak: weakPackage(first) ?? first };
}

/** What others than root may change of the package that a bundle belongs to. */
function weakPackage(bundle: string): string | null {
  const root = dirname(dirname(bundle));
  const manifest = join(root, 'package.json');
  const scripts = join(root, 'scripts/bpftrace');
  const lacking = [manifest, scripts].find((path) => !existsSync(path));
  if (lacking !== undefined) return lacking;
  return weakPlace(bundle) ?? weakPlace(manifest) ?? weakPlaceBelow(scripts);
}
