import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { TracewrightError } from '../errors.ts';

/** The path of a file that is to be written, once it is clear that it can be: measuring takes a while. */
export function outFile(out: string): string {
  const file = resolve(out);
  writeOut(file, () => {
    const there = statSync(file, { throwIfNoEntry: false });
    if (there?.isDirectory()) throw new Error('it is a folder.');
    accessSync(there ? file : `${dirname(file)}/`, constants.W_OK);
  });
  return file;
}

/** Runs what writes the file. EXECUTION_FAILED, with `fix`, where that fails. */
export function writeOut(
  file: string,
  write: () => void,
  fix = 'Choose another file with --out.',
): void {
  try {
    write();
  } catch (error) {
    throw notWritten(file, error, fix);
  }
}

function notWritten(file: string, error: unknown, fix: string): TracewrightError {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `${file} cannot be written: ${reason}`;
  return new TracewrightError('EXECUTION_FAILED', message, fix, error);
}
