import { fsync } from 'node:fs';
import { promisify } from 'node:util';

/** Waits until the disk has a file, which takes a busy one a second, while others are answered. */
export const synced = promisify(fsync);
