import type { ScaleneProfile } from '../../parsers/scalene/scalene.ts';
import { type FunctionUse, functionUses } from './python-functions.ts';
import { round } from './python-hotspots.ts';

/** A figure before and after. `change_percent` is null where there was nothing before. */
export type Change = Readonly<{
  before: number | null;
  after: number | null;
  change_percent: number | null;
}>;

/** A function in both profiles, matched by file name and function name, whatever its line. */
export type FunctionChange = Readonly<{
  function_name: string;
  file: string;
  /** CPU seconds; null where a profile has no elapsed time. */
  before_s: number | null;
  after_s: number | null;
  change_s: number | null;
  status: 'slower' | 'faster' | 'same' | 'new' | 'gone';
}>;

export type Comparison = Readonly<{
  runtime: Change;
  memory: Change;
  cpu: Change;
  /** Spread of repeated runs, in percent of their mean; what is below is noise. */
  noise_percent: number;
  noise_source: 'repeated runs' | 'assumed';
  functions: readonly FunctionChange[];
}>;

/** Without repeated runs: what documents call significant. */
const assumed_noise_percent = 5;
/** Below this a function's time is a handful of samples. */
const smallest_s = 0.02;

export function compareProfiles(
  before: readonly ScaleneProfile[],
  after: readonly ScaleneProfile[],
): Comparison {
  const spreads = [before, after].flatMap((runs) => spreadOf(runs.map((run) => run.elapsed_s)));
  const noise_percent = spreads.length > 0 ? Math.max(...spreads) : assumed_noise_percent;
  return {
    runtime: change(before, after, (run) => run.elapsed_s),
    memory: change(before, after, (run) => (run.memory ? run.max_footprint_mb : null)),
    cpu: change(before, after, cpuSeconds),
    noise_percent: round(noise_percent) ?? noise_percent,
    noise_source: spreads.length > 0 ? 'repeated runs' : 'assumed',
    functions: functionChanges(before, after, noise_percent),
  };
}

function change(
  before: readonly ScaleneProfile[],
  after: readonly ScaleneProfile[],
  of: (run: ScaleneProfile) => number | null,
): Change {
  const [was, is] = [median(before.map(of)), median(after.map(of))];
  return {
    before: round(was, 3),
    after: round(is, 3),
    change_percent: was && is !== null ? round(((is - was) / was) * 100) : null,
  };
}

function cpuSeconds(run: ScaleneProfile): number | null {
  if (run.elapsed_s === null) return null;
  const pct = functionUses(run).reduce((sum, each) => sum + each.cpu_percent, 0);
  return (pct / 100) * run.elapsed_s;
}

/** What got slower comes first, by seconds. */
function functionChanges(
  before: readonly ScaleneProfile[],
  after: readonly ScaleneProfile[],
  noise_percent: number,
): FunctionChange[] {
  const [was, is] = [secondsByFunction(before), secondsByFunction(after)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .map((key): FunctionChange => {
      const [file = '', function_name = ''] = key.split('\0');
      const before_s = was.get(key) ?? null;
      const after_s = is.get(key) ?? null;
      const change_s = (after_s ?? 0) - (before_s ?? 0);
      const status = statusOf(before_s, after_s, noise_percent);
      return {
        function_name,
        file,
        before_s: round(before_s, 3),
        after_s: round(after_s, 3),
        change_s: round(change_s, 3),
        status,
      };
    })
    .sort((a, b) => (b.change_s ?? 0) - (a.change_s ?? 0));
}

function statusOf(
  before_s: number | null,
  after_s: number | null,
  noise_percent: number,
): FunctionChange['status'] {
  if (before_s === null) return 'new';
  if (after_s === null) return 'gone';
  const change_s = after_s - before_s;
  const noise_s = Math.max(smallest_s, (noise_percent / 100) * Math.max(before_s, after_s));
  if (Math.abs(change_s) <= noise_s) return 'same';
  return change_s > 0 ? 'slower' : 'faster';
}

function secondsByFunction(runs: readonly ScaleneProfile[]): Map<string, number> {
  const seconds = new Map<string, number[]>();
  for (const run of runs) {
    for (const use of functionUses(run)) {
      const key = `${baseName(use)}\0${use.function_name}`;
      const s = (use.cpu_percent / 100) * (run.elapsed_s ?? 0);
      seconds.set(key, [...(seconds.get(key) ?? []), s]);
    }
  }
  return new Map([...seconds].map(([key, each]) => [key, median(each) ?? 0]));
}

/** A program may lie elsewhere the second time: its file's name stays. */
const baseName = ({ file }: FunctionUse): string => file.slice(file.lastIndexOf('/') + 1);

/** Of at least three runs: half the range, in percent of the median. */
function spreadOf(values: readonly (number | null)[]): number[] {
  const known = values.filter((each) => each !== null);
  const middle = median(known);
  if (known.length < 3 || !middle) return [];
  return [((Math.max(...known) - Math.min(...known)) / 2 / middle) * 100];
}

function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((each) => each !== null).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? null;
}
