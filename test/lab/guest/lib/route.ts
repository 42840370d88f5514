/** Who runs the server: root itself, or the user "analyst" with a helper. See ../helper.sh. */
export const route = process.env['LAB_ROUTE'] ?? 'root';

export const isRoot = route === 'root';

const ways = new Map([
  ['sudo', 'sudo'],
  ['systemd', 'socket'],
]);
const way = ways.get(route);

/** Names the helper, so that one which cannot be reached is an error and no reason to do without. */
export const helper: readonly string[] = way ? ['--helper', way] : [];

const analyst = ['--reuid=analyst', '--regid=analyst', '--init-groups'];

/** A command line of the user that the server has. */
export function asItsUser(program: string, ...args: string[]): [string, ...string[]] {
  if (isRoot) return [program, ...args];
  const as = ['setpriv', ...analyst, '--', 'env', 'HOME=/home/analyst', 'USER=analyst'] as const;
  return [...as, program, ...args];
}
