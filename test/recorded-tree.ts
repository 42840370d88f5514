import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { HostFilesNow } from './fake-host.ts';

/** The files of a recorded tree, by their path from the root of the host. */
export function recordedTree(folder: string): HostFilesNow {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.map((file) => [relative(folder, file), readFileSync(file, 'utf8')]),
  );
}
