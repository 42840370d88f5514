import { readFileSync } from 'node:fs';
import type { Command } from '../../allowlist/command.ts';
import type { Audit } from '../audit/audit.ts';
import { TracewrightError } from '../errors.ts';
import { guarded } from '../exec/guarded-start.ts';
import { endAllGroups } from '../exec/live-groups.ts';
import { scratchSpace } from '../exec/scratch.ts';
import { shippedScript } from '../exec/shipped-script.ts';
import { ownBundle } from '../paths.ts';
import type { Policies } from '../policy/policy.ts';
import { underPolicies } from '../policy/refusals.ts';
import { usersIn } from '../policy/users-in.ts';
import { hostFiles } from '../procfs/host-files.ts';
import { version } from '../version.ts';
import { clientUser } from './client-user.ts';
import { composedPrograms } from './composed-programs.ts';
import { helperProgram } from './install.ts';
import { outputFiles } from './output-files.ts';
import { replaceable } from './replaceable.ts';
import { limitedResource } from './resource-limits.ts';
import { type Bench, serveSession } from './session.ts';

/** Composed programs that are kept, for tracers that have not opened theirs yet. */
const most_programs = 64;

/**
 * `tracewright helper`: serves one client on stdin and stdout, as root. Refuses to where anybody else
 * may change what it is made of.
 */
export async function runHelper(
  policies: Policies,
  audit: Audit | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<never> {
  if (process.geteuid?.() !== 0) {
    throw new TracewrightError(
      'PERMISSION_DENIED',
      'The helper does what only root may, and does not run as root.',
      'tracewright setup sudo, or tracewright setup systemd',
    );
  }
  const program = helperProgram([ownBundle()]);
  if ('weak' in program) throw replaceable(program.weak);
  const limited = limitedResource(readFileSync('/proc/self/limits', 'utf8'));
  if (limited !== null) throw limitedBy(limited);
  const usersOf = usersIn(hostFiles(''));
  const admit = (command: Command): Command => underPolicies(policies, command, usersOf);
  const { start } = guarded({ admit, record: audit?.attempt });
  const client = { name: `tracewright of ${clientUser(environment)}`, version };
  const origin = { request: 'helper', client };
  const within: Bench['within'] = (work) => (audit ? audit.within(origin, work) : work());
  await serveSession(process.stdin, process.stdout, {
    ...bench(program.node, program.bundle),
    start,
    within,
  });
  // Nobody waits for what is left.
  process.exit(0);
}

function bench(node: string, bundle: string): Omit<Bench, 'start' | 'within'> {
  const scratch = scratchSpace();
  const files = outputFiles(scratch);
  const write = composedPrograms(scratch, most_programs);
  return {
    ground: { script: shippedScript, scratch: { write }, output: files.path, node, bundle },
    files,
    endAll: endAllGroups,
    version,
  };
}

const limitedBy = (limit: string): TracewrightError =>
  new TracewrightError(
    'PERMISSION_DENIED',
    `The helper was started with a limit (${limit}): who sets it could have programs run that are not recorded.`,
    'ulimit -t unlimited -f unlimited -d unlimited -v unlimited, or ask whoever set the limit (/etc/security/limits.conf).',
  );
