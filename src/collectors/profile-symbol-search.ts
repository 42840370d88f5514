import { untrusted } from '../../parsers/untrusted.ts';
import { frameText } from '../analysis/call-tree.ts';
import type { Profile } from '../analysis/profile.ts';
import type { SymbolWeight } from '../analysis/profile-symbols.ts';
import { TracewrightError } from '../errors.ts';

const max_near = 8;

/**
 * The functions that a name means: those of exactly that name, in whichever modules; "name [module]"
 * for one of them; else the only one whose name contains it. INVALID_PARAMS lists near matches.
 */
export function findSymbols(
  profile: Profile,
  ranked: readonly SymbolWeight[],
  text: string,
): readonly SymbolWeight[] {
  const name = ({ symbol }: SymbolWeight): string => profile.symbols[symbol]?.symbol ?? '';
  const exact = ranked.filter(
    (each) => name(each) === text || frameText(profile, each.symbol) === text,
  );
  if (exact.length > 0) return exact;
  const wanted = text.toLowerCase();
  const containing = ranked.filter((each) => name(each).toLowerCase().includes(wanted));
  if (new Set(containing.map(name)).size === 1) return containing;
  const near = containing.length > 0 ? containing : nearest(ranked, name, wanted);
  const names = near.slice(0, max_near).map(({ symbol }) => frameText(profile, symbol));
  throw new TracewrightError(
    'INVALID_PARAMS',
    containing.length > 0
      ? `${containing.length} functions of this profile contain "${untrusted(text, 60)}".`
      : `No function of this profile is called "${untrusted(text, 60)}".`,
    names.length === 0
      ? 'Call get_perf_results without symbol for the functions that there are.'
      : `Use one of: ${names.join(', ')}.`,
  );
}

/** Those that share the longest run of characters with the name, heavier ones first. */
function nearest(
  ranked: readonly SymbolWeight[],
  name: (each: SymbolWeight) => string,
  wanted: string,
): readonly SymbolWeight[] {
  const scored = ranked.map((each) => ({
    each,
    score: sharedRun(name(each).toLowerCase(), wanted),
  }));
  const similar = scored.filter(({ score }) => score >= 3).sort((a, b) => b.score - a.score);
  return similar.map(({ each }) => each);
}

/** Length of the longest piece of `wanted`, of 3 to 24 characters, that `name` contains. */
function sharedRun(name: string, wanted: string): number {
  let longest = 0;
  for (let start = 0; start < wanted.length; start++) {
    while (
      start + longest < wanted.length &&
      longest < 24 &&
      name.includes(wanted.slice(start, start + longest + 1))
    ) {
      longest++;
    }
  }
  return longest;
}
