import type { Readable, Writable } from 'node:stream';
import { TracewrightError } from '../errors.ts';

/** A way to a helper: what we write into `input` it reads, what it answers comes out of `output`. */
export type HelperPipe = Readonly<{
  input: Writable;
  output: Readable;
  /** Whether an open connection keeps this process alive. */
  keepAlive(wanted: boolean): void;
  /** What was said where it could not be reached. */
  complaint(): Promise<string>;
  close(): void;
}>;

/** The helper cannot be reached: why, and what changes that. */
export const unreachable = (said: string): TracewrightError =>
  new TracewrightError(
    'PERMISSION_DENIED',
    `The helper cannot be reached: ${said || 'it said nothing'}`,
    'tracewright setup sudo, or tracewright setup systemd, tells how to install it.',
  );
