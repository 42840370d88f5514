import { spawnSync } from 'node:child_process';
import type { Sandbox } from '../../allowlist/command.ts';
import { wrappers } from '../../allowlist/programs.ts';
import { resolveProgram } from './resolve-program.ts';

/**
 * What stands in front of a program of a user's: process ids of its own (when the first process of
 * the namespace ends, the kernel ends all others, however often they forked), another user, a limit
 * on its memory, no core files.
 */
export function sandboxWrappers({ user, memory_bytes }: Sandbox): readonly string[] {
  const setpriv = resolveProgram(wrappers.setpriv);
  const identity = user
    ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--no-new-privs']
    : ['--no-new-privs'];
  return [
    ...namespaceWrappers(),
    // A change of user clears the parent-death signal, so it is set again.
    ...[setpriv, ...identity, '--pdeathsig', 'KILL', '--'],
    ...[resolveProgram(wrappers.prlimit), `--data=${memory_bytes}`, '--core=0', '--'],
  ];
}

const own_processes = ['--pid', '--fork', '--kill-child=KILL', '--mount-proc'];
let possible: readonly string[] | undefined;

/** Root may always make one; others where the kernel lets them; without it the group is killed. */
function namespaceWrappers(): readonly string[] {
  possible ??= findNamespace();
  return possible;
}

function findNamespace(): readonly string[] {
  const unshare = resolveProgram(wrappers.unshare);
  const asUser = process.geteuid?.() === 0 ? [] : ['--user', '--map-current-user'];
  const line = [...asUser, ...own_processes, '--'];
  const probe = spawnSync(unshare, [...line, resolveProgram(wrappers.cat), '/dev/null'], {
    env: {},
    stdio: 'ignore',
    timeout: 5000,
  });
  return probe.status === 0 ? [unshare, ...line] : [];
}
