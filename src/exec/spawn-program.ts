import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';

/** How a process ended. */
export type Exit = Readonly<{ exit_code: number | null; signal: NodeJS.Signals | null }>;

/**
 * A process that runs. Rejects with what the kernel says where it starts none: without a free file
 * descriptor, process or memory Node.js gives a child without an id and without streams.
 */
export async function spawnProgram(
  file: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<ChildProcess & Readonly<{ pid: number }>> {
  const child = spawn(file, args, { ...options, shell: false });
  if (hasStarted(child)) {
    // Whoever writes into a pipe learns from its end that nobody reads.
    for (const stream of child.stdio) stream?.on('error', () => {});
    return child;
  }
  const [error] = await once(child, 'error');
  throw error;
}

const hasStarted = (child: ChildProcess): child is ChildProcess & Readonly<{ pid: number }> =>
  child.pid !== undefined;

/** Once it has ended and all that it printed is read. */
export const exitOf = (child: ChildProcess): Promise<Exit> =>
  new Promise((resolve) => {
    child.once('close', (exit_code, signal) => resolve({ exit_code, signal }));
  });
