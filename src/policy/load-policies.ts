import { lstatSync, readFileSync } from 'node:fs';
import { TracewrightError } from '../errors.ts';
import { fits, type NameRules, type Policies, type PolicyFile, policy_path } from './policy.ts';
import { readPolicyFile } from './policy-file.ts';

/**
 * The policy of the host, where there is one, and that of the command line, which can only add to it.
 * Without any nothing is loaded for it.
 *
 * @throws TracewrightError NOT_ALLOWED where one of them may be changed by others, or is none
 */
export async function loadPolicies(added?: string): Promise<Policies> {
  const host = isThere(policy_path) ? [await loadPolicy(policy_path, [0])] : [];
  if (added === undefined) return host;
  return [...host, await loadPolicy(added, [0, process.geteuid?.() ?? 0])];
}

/** Whether there may be one: where that cannot be told, opening it says why. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}

export async function loadPolicy(path: string, owners: readonly number[]): Promise<PolicyFile> {
  const text = readPolicyFile(path, owners);
  const { parsePolicy } = await import('./policy-schema.ts');
  const policy = { path, rules: parsePolicy(path, text, uidOf) };
  await refuseUnknownNames(policy);
  return policy;
}

/** A name that is misspelt would refuse nothing. */
async function refuseUnknownNames({ path, rules }: PolicyFile): Promise<void> {
  if (!rules.tools && !rules.resources) return;
  const { tools } = await import('../tools/index.ts');
  const { resources } = await import('../resources/index.ts');
  const known = {
    tools: tools.map(({ name }) => name),
    resources: resources.map(({ uri }) => uri),
  };
  for (const kind of ['tools', 'resources'] as const) {
    const { allow = [], deny = [] }: NameRules = rules[kind] ?? {};
    const unknown = [...allow, ...deny].find(
      (pattern) => !known[kind].some((name) => fits(pattern, name)),
    );
    if (unknown !== undefined) {
      throw new TracewrightError(
        'NOT_ALLOWED',
        `${path} is no policy: ${kind}: nothing is called "${unknown}".`,
        `Choose from: ${known[kind].join(', ')}.`,
      );
    }
  }
}

function uidOf(name: string): number | null {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${name}:`));
  const uid = line?.split(':')[2];
  return uid === undefined ? null : Number(uid);
}
