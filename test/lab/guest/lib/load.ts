import { keepRunning } from './program.ts';

/** Keeps `threads` busy; `cpus` ("0-1") is where they may run. */
export const spin = (threads: number, cpus: string) =>
  keepRunning('taskset', '-c', cpus, 'stress-ng', '--cpu', String(threads), '--quiet');

/**
 * One task, python3, that is busy for a fifth of the time. Under software emulation a scheduler of
 * the scx project gets too few turns beside a full load, and the kernel ejects it.
 */
export const lightLoad = () => keepRunning('python3', '-c', fifth);

const fifth = `
import time
while True:
  end = time.monotonic() + 0.02
  while time.monotonic() < end: pass
  time.sleep(0.08)`;

/** Two tasks that wake each other over a pipe as fast as they can, on `cpus`. */
export const pingPong = (cpus = '0-1023') =>
  keepRunning('taskset', '-c', cpus, 'perf', 'bench', 'sched', 'pipe', '-l', '100000000');
