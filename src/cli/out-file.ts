import { accessSync, constants } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { TracewrightError } from '../errors.ts';

/** The path of a file that is to be written, once it is clear that its folder takes it: measuring takes a while. */
export function outFile(out: string): string {
  const file = resolve(out);
  try {
    accessSync(dirname(file), constants.W_OK);
  } catch (error) {
    throw notWritten(file, error);
  }
  return file;
}

export function notWritten(file: string, error: unknown): TracewrightError {
  const reason = error instanceof Error ? error.message : String(error);
  return new TracewrightError(
    'EXECUTION_FAILED',
    `${file} cannot be written: ${reason}`,
    'Choose another file with --out.',
    error,
  );
}
