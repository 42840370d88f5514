import type { Audit } from '../audit/audit.ts';
import { auditWanted } from '../audit/audit-wanted.ts';
import type { Context } from '../context.ts';
import type { Policies } from '../policy/policy.ts';
import { version } from '../version.ts';

/** Words that start no program. */
const startNothing = new Set(['audit', 'policy', 'tools', 'resources', 'prompts', 'captures']);

export async function auditFor(
  word: string,
  policies: Policies,
  values: Readonly<{ audit?: string; 'state-dir'?: string }>,
): Promise<Audit | undefined> {
  if (startNothing.has(word) || word.startsWith('internal-')) return undefined;
  const asked = auditWanted(policies, values.audit);
  if (asked === 'none') return undefined;
  const { chooseAudit } = await import('../audit/choose-audit.ts');
  return await chooseAudit(asked, policies, values);
}

/** A word of the command line, as the client that asked. */
export function recorded<T>(
  { settings }: Context,
  word: string,
  [first = '']: readonly string[],
  work: () => T | Promise<T>,
): Promise<T> {
  const request = word === 'call' || word === 'read' ? first : word;
  const client = { name: 'tracewright command line', version };
  const promised = async (): Promise<T> => await work();
  return settings.audit ? settings.audit.within({ request, client }, promised) : promised();
}
