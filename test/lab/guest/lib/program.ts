import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** Runs a program of the guest to its end and gives what it printed; rejects when it fails. */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await exec(program, args, { maxBuffer: 1 << 28, timeout: 120_000 });
  return stdout;
}

/** A program that runs until `stop`, its output thrown away. */
export function keepRunning(program: string, ...args: readonly string[]) {
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    pid: child.pid ?? 0,
    /** Ends it with all that it started, and waits. */
    async stop(): Promise<void> {
      if (child.exitCode === null && child.pid) process.kill(-child.pid, 'SIGKILL');
      await ended;
    },
  };
}
