import { resolve } from 'node:path';
import type { Audit } from '../audit/audit.ts';
import type { Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import type { Policies } from '../policy/policy.ts';
import { version } from '../version.ts';

/** Words that start no program. */
const startNothing = new Set(['audit', 'policy', 'tools', 'resources', 'prompts', 'captures']);

/** As root executions are recorded unless --audit none; what the operator or a policy asks for must work. */
export async function auditFor(
  word: string,
  policies: Policies,
  values: Readonly<{ audit?: string; 'state-dir'?: string }>,
): Promise<Audit | undefined> {
  const required = policies.some(({ rules }) => rules.audit);
  const usual = required || process.geteuid?.() === 0 ? 'file' : 'none';
  const asked = required && values.audit === 'none' ? 'file' : (values.audit ?? usual);
  if (asked === 'none' || startNothing.has(word) || word.startsWith('internal-')) return undefined;
  const where = asked === 'file' || asked === 'journald' ? asked : resolve(asked);
  const complain = (message: string): void => console.error(`tracewright: ${message}`);
  try {
    const { openAudit } = await import('../audit/audit.ts');
    return await openAudit(where, values['state-dir'], complain);
  } catch (error) {
    if (required || values.audit !== undefined) throw error;
    complain(`${toTracewrightError(error).message} Nothing is recorded.`);
    return undefined;
  }
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
