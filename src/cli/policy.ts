import type { Context } from '../context.ts';
import { describePolicies } from '../policy/describe.ts';
import { loadPolicy } from '../policy/load-policies.ts';
import { type Policies, policy_path } from '../policy/policy.ts';
import type { Selection } from '../selection.ts';
import { surface } from '../surface.ts';

/** `tracewright policy`: what an administrator allows here, and which tools that takes away. */
export function showPolicy({ policies }: Context, selection: Selection, json: boolean): string {
  return show(policies, selection, json);
}

/** `tracewright policy FILE`: whether the file would be accepted, and what it would mean. */
export async function checkPolicy(file: string, json: boolean): Promise<string> {
  const policy = await loadPolicy(file, [0, process.geteuid?.() ?? 0]);
  return show([policy], { readOnly: false, policies: [policy] }, json);
}

function show(policies: Policies, selection: Selection, json: boolean): string {
  const without = surface.tools({ ...selection, policies: [] });
  const left = new Set(surface.tools(selection).map(({ name }) => name));
  const withheld = without.map(({ name }) => name).filter((name) => !left.has(name));
  if (json) return JSON.stringify({ policies, tools_withheld: withheld });
  if (policies.length === 0) return `There is no ${policy_path}: nothing is restricted.`;
  return [
    ...describePolicies(policies),
    withheld.length === 0 ? 'All tools are offered.' : `Tools not offered: ${withheld.join(', ')}`,
  ].join('\n');
}
