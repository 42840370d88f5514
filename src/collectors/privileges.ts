import type { Context } from '../context.ts';

/** Whether commands that need root can be run: by ourselves, or by a helper that is root. */
export const runsPrivileged = (ctx: Context): boolean =>
  ctx.uid === 0 || ctx.helper.route() !== null;

/** Why they cannot, as the end of a reason; empty where nobody was asked. */
export function helperProblem({ helper }: Context): string {
  const problem = helper.problem();
  return problem === null ? '' : ` ${problem}`;
}
