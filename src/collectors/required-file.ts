import { TracewrightError } from '../errors.ts';
import type { HostFiles } from '../procfs/host-files.ts';

/** The text of a file of /proc that every Linux has, or FEATURE_UNAVAILABLE. */
export function requiredText(files: HostFiles, path: string): string {
  const file = files.read(path);
  if (file.ok) return file.text;
  throw new TracewrightError(
    'FEATURE_UNAVAILABLE',
    `${path} cannot be read (${file.code}).`,
    'Mount procfs: sudo mount -t proc proc /proc',
  );
}
