import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { wrappers } from '../../allowlist/programs.ts';
import { TracewrightError } from '../errors.ts';
import type { HelperPipe } from '../helper/pipe.ts';
import { resolveProgram } from './resolve-program.ts';

/** sudo says why it fails and ends at once. */
const complaint_ms = 1000;

const notStarted = (): TracewrightError =>
  new TracewrightError(
    'EXECUTION_FAILED',
    'sudo could not be started: no process, memory or file descriptor is left for it.',
    'Check `ulimit -u`, `ulimit -n` and free memory, then try again.',
  );

/** The command line of a helper; a rule of sudo names these very words. */
export const helperWords = (node: string, bundle: string): readonly string[] => [
  node,
  bundle,
  'helper',
];

/**
 * A helper through `sudo -n`, which asks for no password and fails where it would. In a session of
 * its own: Ctrl-C is for us, and the helper ends when its stdin does.
 */
export function sudoHelper(node: string, bundle: string): HelperPipe {
  const child = spawn(resolveProgram(wrappers.sudo), ['-n', '--', ...helperWords(node, bundle)], {
    shell: false,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: '/',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  let said = '';
  // What could not be started ends: its streams close.
  child.on('error', (error) => {
    said = error.message;
  });
  // Without a free file descriptor it has no streams either.
  if (child.pid === undefined) throw notStarted();
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 1000);
  });
  const closed = once(child, 'close').catch(() => {});
  const { stdin, stdout, stderr } = child;
  const handles = [child, stdin, stdout, stderr].flatMap((each) =>
    'ref' in each && 'unref' in each ? [each as Pick<typeof child, 'ref' | 'unref'>] : [],
  );
  return {
    input: stdin,
    output: stdout,
    keepAlive(wanted) {
      for (const each of handles)
        if (wanted) each.ref();
        else each.unref();
    },
    async complaint() {
      await Promise.race([closed, delay(complaint_ms, undefined, { ref: false })]);
      return said.trim();
    },
    close: () => stdin.destroy(),
  };
}
