import { resolve } from 'node:path';
import type { Policies } from '../policy/policy.ts';

export const isRequired = (policies: Policies): boolean =>
  policies.some(({ rules }) => rules.audit);

/** `file`, `journald`, `none` or an absolute path: as root a file unless something else is asked for. */
export function auditWanted(policies: Policies, option: string | undefined): string {
  const required = isRequired(policies);
  if (option === undefined) return required || process.geteuid?.() === 0 ? 'file' : 'none';
  if (option === 'none') return required ? 'file' : 'none';
  return option === 'file' || option === 'journald' ? option : resolve(option);
}
