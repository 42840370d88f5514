import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where images and kernels are kept, outside the repository. */
export function cacheFolder() {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tracewright-lab');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * A file or folder of the cache, made by `make(path)` the first time. It gets its name only when it
 * is complete, and replaces what stood there under other names with the same prefix.
 */
export function cached(folder, prefix, key, make) {
  const path = join(folder, `${prefix}-${key}`);
  if (existsSync(path)) return path;
  const draft = join(folder, `draft-${process.pid}-${prefix}`);
  try {
    make(draft);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  for (const name of readdirSync(folder)) {
    const isOutdated = name.startsWith(`${prefix}-`) && name !== `${prefix}-${key}`;
    if (isOutdated) rmSync(join(folder, name), { recursive: true, force: true });
  }
  return path;
}
