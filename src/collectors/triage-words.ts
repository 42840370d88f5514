import type { Cause, Finding } from '../analysis/triage-facts.ts';
import type { Unjudged } from '../analysis/use-method.ts';

type Outcome = Readonly<{
  findings: readonly Finding[];
  causes: readonly Cause[];
  gaps: readonly Unjudged[];
}>;

/** Null: nothing stands out, and something that may could not be judged. */
export function healthOf({ causes, findings, gaps }: Outcome): boolean | null {
  const stands_out = causes.length > 0 || findings.some(({ severity }) => severity !== 'info');
  if (stands_out) return false;
  return gaps.length === 0 ? true : null;
}

export function triageActions({ causes, findings, gaps }: Outcome): readonly string[] {
  if (causes.length > 0) {
    return [
      ...new Set(
        causes.slice(0, 3).flatMap(({ suggestedActions }) => suggestedActions.slice(0, 2)),
      ),
    ];
  }
  if (findings.length > 0) {
    return ['No cause explains the findings: run perf_triage mode=deep while it is slow.'];
  }
  return gaps.length > 0
    ? [`Let the server read what tells of ${namesOf(gaps)}: unavailable has the files.`]
    : ['Nothing to do: no figure is beyond its threshold.'];
}

export function triageWords(outcome: Outcome, busy_pct: number | null): string[] {
  const { findings, causes, gaps } = outcome;
  const [first, ...others] = causes;
  if (first) {
    return [
      `${first.title} (${first.severity}, confidence ${first.confidence} %).`,
      first.description,
      ...others.slice(0, 2).map((each) => `Also possible: ${each.title} (${each.confidence} %).`),
      ...first.suggestedActions.slice(0, 1),
    ];
  }
  const [worst] = findings;
  if (worst) {
    return [
      `No clear cause. ${findings.length} figures are beyond their thresholds, worst: ${worst.title}.`,
    ];
  }
  return gaps.length > 0
    ? [`No figure is beyond its threshold, but ${namesOf(gaps)} could not be judged.`]
    : [`Healthy: CPUs ${busy_pct ?? '?'} % busy, no figure is beyond its threshold.`];
}

const namesOf = (gaps: readonly Unjudged[]): string => gaps.map(({ what }) => what).join(', ');
