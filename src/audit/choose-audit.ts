import { toTracewrightError } from '../errors.ts';
import type { Policies } from '../policy/policy.ts';
import { type Audit, openAudit } from './audit.ts';
import { isRequired } from './audit-wanted.ts';

/**
 * The audit at a place that `auditWanted` gave. What the operator or a policy asks for must work; where
 * it is the default alone, a place that cannot be written is told on stderr, and nothing is recorded.
 */
export async function chooseAudit(
  wanted: string,
  policies: Policies,
  options: Readonly<{ audit?: string; 'state-dir'?: string }> = {},
): Promise<Audit | undefined> {
  const complain = (message: string): void => console.error(`tracewright: ${message}`);
  try {
    return await openAudit(wanted, options['state-dir'], complain);
  } catch (error) {
    if (isRequired(policies) || options.audit !== undefined) throw error;
    complain(`${toTracewrightError(error).message} Nothing is recorded.`);
    return undefined;
  }
}
