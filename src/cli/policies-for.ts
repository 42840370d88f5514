import { resolve } from 'node:path';
import { loadPolicies } from '../policy/load-policies.ts';
import type { Policies } from '../policy/policy.ts';
import { refuseHttp, toolRefusal } from '../policy/refusals.ts';

/** What a word of the command line does, by the tool that does the same. */
const toolOf: Readonly<Record<string, Readonly<{ name: string; effect: string }>>> = {
  watch: { name: 'control_event_tracking', effect: 'capture' },
  record: { name: 'record_trace', effect: 'capture' },
  profile: { name: 'start_perf_profiling', effect: 'capture' },
};

/** The policies in force, which the word itself may be against. To check one none is needed. */
export async function policiesFor(
  [word, ...rest]: readonly string[],
  policy: string | undefined,
  argv: readonly string[],
): Promise<Policies> {
  if (word === 'policy' && rest.length > 0) return [];
  const policies = await loadPolicies(policy === undefined ? undefined : resolve(policy));
  if (policies.length > 0) refuseWord(policies, word ?? '', argv);
  return policies;
}

function refuseWord(policies: Policies, word: string, argv: readonly string[]): void {
  if (argv.some((each) => /^--http(?:=|$)/.test(each))) refuseHttp(policies);
  const tool = toolOf[word];
  const refused = tool ? toolRefusal(policies, tool) : null;
  if (refused) throw refused;
}
