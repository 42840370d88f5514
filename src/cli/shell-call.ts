import { setMaxListeners } from 'node:events';
import type { Call } from '../context.ts';
import type { Tell } from './progress.ts';

/** A call from a shell: Ctrl-C ends the whole process, so nothing else cancels it. */
export function shellCall(progress: Tell): Call {
  const { signal } = new AbortController();
  // One signal for all the reads of a summary; Node.js warns above ten listeners.
  setMaxListeners(0, signal);
  return { signal, progress };
}
