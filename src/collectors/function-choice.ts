import { function_name, refusedFunction } from '../../allowlist/function-names.ts';
import { type FunctionMode, most_functions } from '../../allowlist/function-program.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import { TracewrightError } from '../errors.ts';
import type { FunctionListing } from './kernel-functions.ts';
import { functionName } from './kprobe-functions.ts';

export type ChosenFunctions = Readonly<{
  names: readonly string[];
  /** Those of `names` that belong to a module. */
  modules: ReadonlyMap<string, string>;
  /** How many fit a pattern, and how many of those are never traced; null without a pattern. */
  expansion: Readonly<{ pattern: string; matching: number; refused: number }> | null;
  /** Names that stand for more than one function of this kernel. */
  ambiguous: readonly string[];
}>;

const pattern_form = /^[A-Za-z_*][A-Za-z0-9_.*]{0,127}$/;
const most_stars = 3;
const least_letters = 3;

/**
 * The functions asked for: names, or one pattern such as `tcp_*` of which the first ten are taken, in
 * the order of the kernel's list. INVALID_PARAMS where a name is none or not in the list, NOT_ALLOWED
 * where a probe there would hurt the host.
 */
export function chooseFunctions(
  wanted: readonly string[],
  mode: FunctionMode,
  listing: FunctionListing,
): ChosenFunctions {
  const listed = countNames(listing);
  const whyNot = (name: string): string | null =>
    refusedFunction(name, mode === 'latency') ??
    (listing.refused.has(name)
      ? 'is on the list of functions that the kernel refuses to probe'
      : null);

  const [first = ''] = wanted;
  const isPattern = wanted.some((each) => each.includes('*'));
  if (isPattern && wanted.length > 1) throw invalid('a pattern stands alone, without other names');
  const matching = isPattern ? [...listed.keys()].filter(globOf(first)) : [...new Set(wanted)];
  const allowed = isPattern ? matching.filter((name) => whyNot(name) === null) : matching;
  if (isPattern && matching.length === 0) throw invalid(`no function fits ${first}`, first);
  for (const name of isPattern ? [] : matching) check(name, listed, whyNot);
  if (allowed.length === 0) throw refusal(first, 'stands for functions that are never traced only');

  const names = allowed.slice(0, most_functions);
  const modules = names.flatMap((name): [string, string][] => {
    const module = listed.get(name)?.module;
    return module ? [[name, module]] : [];
  });
  const refused = matching.length - allowed.length;
  return {
    names,
    modules: new Map(modules),
    expansion: isPattern ? { pattern: first, matching: matching.length, refused } : null,
    ambiguous: names.filter((name) => (listed.get(name)?.count ?? 0) > 1),
  };
}

type Listed = ReadonlyMap<string, Readonly<{ count: number; module: string | null }>>;

/** Static functions of one name stand once each in the list. */
function countNames({ functions }: FunctionListing): Listed {
  const listed = new Map<string, Readonly<{ count: number; module: string | null }>>();
  for (const line of functions) {
    const name = functionName(line);
    const module = name === line ? null : line.slice(name.length + 2, -1);
    listed.set(name, { count: (listed.get(name)?.count ?? 0) + 1, module });
  }
  return listed;
}

function check(name: string, listed: Listed, whyNot: (name: string) => string | null): void {
  if (!function_name.test(name)) throw invalid(`"${untrusted(name, 80)}" is not a function name`);
  const reason = whyNot(name);
  if (reason !== null) throw refusal(name, reason);
  if (!listed.has(name)) throw invalid(`this kernel has no traceable function ${name}`, name);
}

function globOf(pattern: string): (name: string) => boolean {
  const parts = pattern.split('*');
  if (!pattern_form.test(pattern) || parts.length - 1 > most_stars) {
    throw invalid(
      `"${untrusted(pattern, 80)}" is not a pattern of letters, digits, _ and up to 3 *`,
    );
  }
  if (parts.join('').length < least_letters) {
    throw invalid(`${pattern} fits too much: give at least ${least_letters} letters`);
  }
  const expression = new RegExp(`^${parts.map((each) => each.replaceAll('.', '\\.')).join('.*')}$`);
  return (name) => function_name.test(name) && expression.test(name);
}

const invalid = (problem: string, name?: string): TracewrightError =>
  new TracewrightError(
    'INVALID_PARAMS',
    `functions: ${problem}.`,
    name === undefined
      ? 'Give 1 to 10 names such as tcp_sendmsg, or one pattern such as tcp_send*; events://kprobe?match=tcp_send searches them.'
      : `Search with events://kprobe?match=${encodeURIComponent(longestPart(name))}`,
  );

const longestPart = (pattern: string): string =>
  pattern.split('*').reduce((longest, each) => (each.length > longest.length ? each : longest), '');

const refusal = (name: string, reason: string): TracewrightError =>
  new TracewrightError(
    'NOT_ALLOWED',
    `functions: ${name} ${reason}, so it is not traced.`,
    'Trace a function that calls it; start_perf_profiling shows which ones take time.',
  );
