import type { Finished } from '../src/exec/start.ts';

/** A program that ended by itself and said nothing. */
export const ended: Finished = {
  stdout: '',
  stderr: '',
  exit_code: 0,
  signal: null,
  stopped_by: 'exit',
  duration_ms: 1,
};
