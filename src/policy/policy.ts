/** Names, in which `*` stands for any text. Without `allow` all are allowed but those of `deny`. */
export type NameRules = Readonly<{
  allow?: readonly string[] | undefined;
  deny?: readonly string[] | undefined;
}>;

/** What an administrator lets a server do. A rule that is not there restricts nothing. */
export type PolicyRules = Readonly<{
  tools?: NameRules | undefined;
  /** URIs without their parameters. */
  resources?: Readonly<{ deny: readonly string[] }> | undefined;
  max_duration_seconds?: number | undefined;
  max_sample_rate_hz?: number | undefined;
  kernel_functions?: NameRules | undefined;
  /** User ids whose processes may be recorded. */
  users?: readonly number[] | undefined;
  python?: boolean | undefined;
  state_quota_bytes?: number | undefined;
  http?: boolean | undefined;
  /** True: executions are recorded, whatever the options of the server say. */
  audit?: boolean | undefined;
}>;

export type PolicyFile = Readonly<{ path: string; rules: PolicyRules }>;

/** All of them hold: what one refuses is refused. */
export type Policies = readonly PolicyFile[];

/** The only place where the policy of a host is looked for; no option or environment moves it. */
export const policy_path = '/etc/tracewright/policy.json';

type Limit = 'max_duration_seconds' | 'max_sample_rate_hz' | 'state_quota_bytes';

/** The lowest limit with the file that sets it; null where none does. */
export function lowest(
  policies: Policies,
  limit: Limit,
): Readonly<{ value: number; path: string }> | null {
  const set = policies.flatMap(({ path, rules }) => {
    const value = rules[limit];
    return value === undefined ? [] : [{ value, path }];
  });
  return set.sort((a, b) => a.value - b.value)[0] ?? null;
}

/** The file that does not let this name pass; null where all of them do. */
export function refusingFile(
  policies: Policies,
  rules: 'tools' | 'kernel_functions' | 'resources',
  name: string,
): string | null {
  const file = policies.find((each) => !permits(each.rules[rules], name));
  return file?.path ?? null;
}

export function permits(rules: NameRules | undefined, name: string): boolean {
  if (rules?.deny?.some((pattern) => fits(pattern, name))) return false;
  return rules?.allow?.some((pattern) => fits(pattern, name)) ?? true;
}

/** `*` stands for any text, all else for itself. */
export function fits(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return pattern === name;
  const last = rest.pop() ?? '';
  if (!name.startsWith(first) || name.length < first.length + last.length) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return name.endsWith(last);
}
