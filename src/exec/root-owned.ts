import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The first file or folder on the way to `path` that others than root may replace; null where root
 * alone may. In a sticky folder only the owner of a file can replace it.
 */
export function weakPlace(path: string): string | null {
  const real = realpathSync(path);
  const folders = new Set([...wayTo(dirname(real)), ...wayTo(dirname(path))]);
  return [real, path, ...folders].find(isWeak) ?? null;
}

/** The same for a folder and all that is in it. */
export function weakPlaceBelow(folder: string): string | null {
  const inside = readdirSync(folder, { withFileTypes: true, recursive: true });
  const paths = inside.map((entry) => join(entry.parentPath, entry.name));
  return weakPlace(folder) ?? paths.find(isWeak) ?? null;
}

function wayTo(folder: string): readonly string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...wayTo(parent)];
}

function isWeak(path: string): boolean {
  const link = lstatSync(path);
  if (link.isSymbolicLink() && link.uid !== 0) return true;
  const stats = statSync(path);
  const sticky = stats.isDirectory() && (stats.mode & 0o1000) !== 0;
  return stats.uid !== 0 || ((stats.mode & 0o022) !== 0 && !sticky);
}
