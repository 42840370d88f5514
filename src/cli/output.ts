/**
 * Writes text and a line end to stdout, and gives the exit code. A reader that has seen enough
 * (`| head`) is no failure; output that cannot be written otherwise is.
 */
export function print(text: string): number {
  process.stdout.once('error', notWritten);
  process.stdout.write(`${text}\n`);
  return 0;
}

/** True where the other end of a pipe is gone. */
const isClosedPipe = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EPIPE';

/** Ends the program: the error comes after the command has ended, with nobody left to catch it. */
export function notWritten(error: Error): void {
  if (isClosedPipe(error)) return;
  console.error(`tracewright: The output cannot be written: ${error.message}`);
  console.error('Make room there, or send it elsewhere.');
  process.exit(1);
}
