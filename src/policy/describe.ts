import type { NameRules, Policies, PolicyRules } from './policy.ts';

/** A policy in words, one line for each rule. */
export function describePolicies(policies: Policies): readonly string[] {
  return policies.flatMap(({ path, rules }) => [path, ...words(rules).map((line) => `  ${line}`)]);
}

function words(rules: PolicyRules): readonly string[] {
  const lines = [
    ...names('tools', rules.tools),
    ...names('resources', rules.resources),
    ...names('kernel functions that may be probed', rules.kernel_functions),
    ...limit('longest measurement', rules.max_duration_seconds, 's'),
    ...limit('most samples a second', rules.max_sample_rate_hz, 'Hz'),
    ...(rules.users
      ? [`processes that may be looked into: those of user ${rules.users.join(', ') || '(none)'}`]
      : []),
    ...(rules.python === false ? ['programs of users: are not run'] : []),
    ...limit('captures kept', rules.state_quota_bytes, 'bytes of each kind'),
    ...(rules.http === false ? ['HTTP: is not served'] : []),
    ...(rules.audit ? ['audit: executions are recorded whatever the options say'] : []),
  ];
  return lines.length === 0 ? ['restricts nothing'] : lines;
}

const names = (what: string, rules: NameRules | undefined): readonly string[] => [
  ...(rules?.allow ? [`${what}: only ${rules.allow.join(', ') || '(none)'}`] : []),
  ...(rules?.deny?.length ? [`${what}: not ${rules.deny.join(', ')}`] : []),
];

const limit = (what: string, value: number | undefined, unit: string): readonly string[] =>
  value === undefined ? [] : [`${what}: ${value} ${unit}`];
