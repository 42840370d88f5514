import { spawnSync } from 'node:child_process';
import { programPath } from './cannot-run.mjs';

/**
 * Runs a program to its end, at low priority: others measure on this machine too. Returns what it
 * printed; throws with the end of its complaint when it fails.
 */
export function runProgram(program, args, { cwd, env = {} } = {}) {
  const done = spawnSync('nice', [program, ...args], {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: programPath, LC_ALL: 'C', ...env },
  });
  if (done.status === 0) return done.stdout;
  const said = `${done.stderr ?? ''}${done.error?.message ?? ''}`.trim().split('\n').slice(-8);
  throw new Error(`${program} ${args.slice(0, 3).join(' ')} … failed:\n${said.join('\n')}`);
}
