import { keepRunning } from './program.ts';

/** Keeps `threads` busy; `cpus` ("0-1") is where they may run. */
export const spin = (threads: number, cpus: string) =>
  keepRunning('taskset', '-c', cpus, 'stress-ng', '--cpu', String(threads), '--quiet');

/** Two tasks that wake each other over a pipe as fast as they can, on `cpus`. */
export const pingPong = (cpus = '0-1023') =>
  keepRunning('taskset', '-c', cpus, 'perf', 'bench', 'sched', 'pipe', '-l', '100000000');
