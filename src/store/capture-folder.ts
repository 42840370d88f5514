import { closeSync, lstatSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isManifest, type Manifest } from './manifest.ts';
import { readOwnFile } from './own-file.ts';
import { synced } from './synced.ts';

/** The names in a folder; none where there is no such folder. */
export function names(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Which file the manifest of a capture is; null where there is none that is ours alone. */
export function fileOf(path: string): string | null {
  try {
    const stats = lstatSync(join(path, 'manifest.json'));
    const isOwn = stats.isFile() && stats.nlink === 1;
    return isOwn ? `${stats.dev} ${stats.ino} ${stats.ctimeMs}` : null;
  } catch {
    return null;
  }
}

/** What a capture is; null where its folder is no capture of that id. */
export function readManifest(path: string, id: string): Manifest | null {
  try {
    const text = readOwnFile(join(path, 'manifest.json'));
    const manifest: unknown = text === null ? null : JSON.parse(text);
    return isManifest(manifest) && manifest.id === id ? manifest : null;
  } catch {
    return null;
  }
}

/** Views come beside a capture after it was made. */
export function bytesOf(path: string): number {
  return names(path)
    .filter((name) => name !== 'manifest.json')
    .reduce(
      (sum, name) => sum + (lstatSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
}

/** A new file, of which the disk has everything when this ends. */
export async function writeWhole(path: string, content: string): Promise<void> {
  const fd = openSync(path, 'wx', 0o600);
  try {
    const bytes = Buffer.from(content);
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    await synced(fd);
  } finally {
    closeSync(fd);
  }
}

/** What a server that was killed in the middle of saving has left; another may be saving now. */
export function sweepParts(path: string): void {
  for (const name of names(path).filter((each) => each.startsWith('.'))) {
    const part = join(path, name);
    const stats = lstatSync(part, { throwIfNoEntry: false });
    if (stats && Date.now() - stats.mtimeMs > 3_600_000) rmSync(part, { recursive: true });
  }
}
