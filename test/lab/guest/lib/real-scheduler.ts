import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './program.ts';
import { schedExt } from './sysfs.ts';
import { until } from './until.ts';

const folder = '/lab/scx';
export const stats_socket = '/var/run/scx/root/stats';

/** Loading takes seconds under emulation: the verifier goes through some 400,000 instructions. */
const load_ms = 90_000;

/** Why this scheduler of the scx project cannot be run here, or false. */
export function missing(name: string): string | false {
  if (existsSync(join(folder, name))) return false;
  return readFileSync(join(folder, `${name}.missing`), 'utf8');
}

/** What the program says of itself: "1.1.4". */
export async function versionOf(name: string): Promise<string> {
  const printed = await run(join(folder, name), '--version');
  return printed.trim().split(' ')[1] ?? '';
}

/** Starts a scheduler and returns once it schedules and serves statistics. Its log is a result. */
export async function startRealScheduler(name: string, ...args: readonly string[]) {
  const log = openSync(`/results/${name}.log`, 'a');
  const child = spawn(join(folder, name), args, { stdio: ['ignore', log, log] });
  const ended = once(child, 'exit');
  try {
    await until(
      () => (child.exitCode === null ? schedExt('state') : 'its program ended'),
      (state) => state === 'enabled' && existsSync(stats_socket),
      load_ms,
    );
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    pid: child.pid ?? 0,
    /** As Ctrl-C does. Returns once the kernel schedules alone again. */
    async stop(): Promise<void> {
      if (child.exitCode === null) child.kill('SIGINT');
      await ended;
      await until(
        () => schedExt('state'),
        (state) => state === 'disabled',
      );
    },
  };
}
