import type { Program } from '../../allowlist/command.ts';
import { programs } from '../../allowlist/programs.ts';
import { versionOf } from '../../allowlist/version.ts';
import type { Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';

export type ProgramVersion = Readonly<{
  name: string;
  path: string | null;
  version: string | null;
  problem: string | null;
  fix: string | null;
}>;

/** Where each outside program lies and what version it says it is. */
export function programVersions(ctx: Context): Promise<ProgramVersion[]> {
  return Promise.all(Object.values(programs).map((program) => programVersion(program, ctx)));
}

/** The programs that are not there, with what installs them. Starts nothing. */
export function missingPrograms(ctx: Context): readonly Unavailable[] {
  return Object.values(programs).flatMap((program: Program) => {
    const found = ctx.find(program);
    if (!('problem' in found)) return [];
    const reason = found.problem === 'missing' ? 'not installed' : 'others may replace it';
    return [{ what: `what ${program.name} measures`, reason, fix: ctx.install(program) }];
  });
}

export async function programVersion(program: Program, ctx: Context): Promise<ProgramVersion> {
  const { name } = program;
  const found = ctx.find(program);
  if ('problem' in found) {
    const problem =
      found.problem === 'missing' ? 'not installed' : `${found.path} may be replaced by others`;
    return { name, path: found.path, version: null, problem, fix: ctx.install(program) };
  }
  try {
    const { stdout, stderr } = await ctx.run(versionOf(program));
    const version = /\d+\.\d[\w.-]*/.exec(stdout || stderr)?.[0] ?? null;
    return { name, path: found.path, version, problem: null, fix: null };
  } catch (thrown) {
    const { message, suggestion } = toTracewrightError(thrown);
    return { name, path: found.path, version: null, problem: message, fix: suggestion };
  }
}
