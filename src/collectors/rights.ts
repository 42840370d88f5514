import { programs } from '../../allowlist/programs.ts';
import type { Context } from '../context.ts';
import type { HelperRoute } from '../helper/privileged-runs.ts';
import type { Unavailable } from '../reading.ts';
import { helperProblem, runsPrivileged } from './privileges.ts';
import type { ProgramVersion } from './program-versions.ts';

/** As whom we run, and who runs what needs root. */
export type Rights = Readonly<{
  runs_as: 'root' | 'user';
  /** The way to the helper; null: there is none, or none is needed. */
  helper: HelperRoute | null;
  problems: readonly Unavailable[];
}>;

/** perf asks for no user id, only for these (since Linux 5.8). */
const perf_capabilities = 'cap_perfmon,cap_sys_ptrace,cap_syslog=ep';

export function rights(ctx: Context, versions: readonly ProgramVersion[]): Rights {
  const helper = ctx.helper.route();
  const runs_as = ctx.uid === 0 ? 'root' : 'user';
  if (runs_as === 'root') return { runs_as, helper, problems: [allAsRoot] };
  return { runs_as, helper, problems: runsPrivileged(ctx) ? [] : withoutRoot(ctx, versions) };
}

const allAsRoot: Unavailable = {
  what: 'least privilege',
  reason: 'Everything runs as root: parsers, the server and whatever it is made to do.',
  fix: 'tracewright setup sudo, then run the server as an ordinary user with --helper sudo',
};

function withoutRoot(ctx: Context, versions: readonly ProgramVersion[]): readonly Unavailable[] {
  const tracers: Unavailable = {
    what: 'tracers',
    reason: `They need root, and no helper is there.${helperProblem(ctx)} ${ofBpftrace(versions)}`,
    fix: 'tracewright setup sudo',
  };
  const perf = ctx.find(programs.perf);
  if ('problem' in perf) return [tracers];
  const profiles: Unavailable = {
    what: 'profiles of the whole machine',
    reason: 'They need root, a helper, or a perf with capabilities, which anybody may then use.',
    fix: `sudo setcap ${perf_capabilities} ${perf.path}`,
  };
  return [tracers, profiles];
}

/** Since 0.25 capabilities are enough for it; before, it wants to be user 0. */
function ofBpftrace(versions: readonly ProgramVersion[]): string {
  const version = versions.find(({ name }) => name === programs.bpftrace.name)?.version ?? null;
  if (version === null) return 'bpftrace before 0.25 runs as user 0 only.';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 0 || minor >= 25
    ? `bpftrace ${version} also runs with capabilities.`
    : `bpftrace ${version} insists on user id 0: capabilities are not enough before 0.25.`;
}
