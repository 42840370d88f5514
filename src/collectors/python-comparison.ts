import { type Change, compareProfiles, type FunctionChange } from '../analysis/python-compare.ts';
import type { Context } from '../context.ts';
import { loadProfile, type StoredProfile } from './python-profiles.ts';
import { leakRows } from './python-summary.ts';

type Query = Readonly<{
  before_id: string;
  after_id: string;
  more_before: readonly string[];
  more_after: readonly string[];
  top_n: number;
}>;

/** What changed between two profiles, or two sets of repeated runs: what got worse first. */
export function compareStored(ctx: Context, query: Query) {
  const load = (ids: readonly string[]) => ids.map((id) => loadProfile(ctx, id));
  const before = load([query.before_id, ...query.more_before]);
  const after = load([query.after_id, ...query.more_after]);
  const { runtime, memory, cpu, functions, noise_percent, noise_source } = compareProfiles(
    before.map((each) => each.profile),
    after.map((each) => each.profile),
  );
  const by = (status: FunctionChange['status']) =>
    functions.filter((each) => each.status === status);
  const leaks = leakCount(after) - leakCount(before);
  const worse = [
    ...figures(runtime, 'Elapsed time', noise_percent, 1),
    ...figures(memory, 'Peak memory', noise_percent, 1),
    ...(leaks > 0 ? [`${leaks} more lines that Scalene takes for leaks`] : []),
    ...[...by('slower'), ...by('new')].slice(0, query.top_n).map(functionInWords),
  ];
  const better = [
    ...figures(runtime, 'Elapsed time', noise_percent, -1),
    ...figures(memory, 'Peak memory', noise_percent, -1),
    ...(leaks < 0 ? [`${-leaks} fewer lines that Scalene takes for leaks`] : []),
    ...[...by('faster'), ...by('gone')].reverse().slice(0, query.top_n).map(functionInWords),
  ];
  const improved = (change: Change): boolean | null =>
    change.change_percent === null ? null : change.change_percent < -noise_percent;
  const text = [
    ...worse.map((each) => `Worse: ${each}.`),
    ...better.map((each) => `Better: ${each}.`),
  ];
  return {
    data: {
      before_id: query.before_id,
      after_id: query.after_id,
      runtime_before_sec: runtime.before,
      runtime_after_sec: runtime.after,
      runtime_change_percent: runtime.change_percent,
      runtime_improved: improved(runtime),
      memory_before_mb: memory.before,
      memory_after_mb: memory.after,
      memory_change_percent: memory.change_percent,
      memory_improved: improved(memory),
      cpu_before_sec: cpu.before,
      cpu_after_sec: cpu.after,
      cpu_change_percent: cpu.change_percent,
      cpu_improved: improved(cpu),
      regressions: worse,
      improvements: better,
      overall_improved: worse.length === 0 && better.length > 0,
      noise_percent,
      noise_source,
      functions: functions.filter((each) => each.status !== 'same').slice(0, 2 * query.top_n),
      summary_text: text.join('\n') || `No change above the noise of ${noise_percent} %.`,
    },
    source: `Scalene ${[...new Set([...before, ...after].map((each) => each.run.scalene_version))].join(', ')}`,
    warnings: doubts([...before, ...after]),
    summary:
      text.length === 0 ? [`No change above the noise of ${noise_percent} %.`] : text.slice(0, 6),
  };
}

/** What makes two profiles hard to compare. */
function doubts(all: readonly StoredProfile[]): string[] {
  const [first] = all;
  const differ = (of: (each: StoredProfile) => unknown): boolean =>
    all.some((each) => of(each) !== (first && of(first)));
  return [
    ...(differ(({ run }) => run.scalene_version)
      ? [
          'The profiles are of different versions of Scalene, which divide time between Python and native code differently.',
        ]
      : []),
    ...(differ(({ run }) => run.memory_profiled)
      ? ['One was taken with memory profiling, which slows the program, and one without.']
      : []),
    ...(differ(({ run }) => run.args.join('\0')) ? ['The programs had different arguments.'] : []),
    ...(all.some(({ run }) => run.partial)
      ? ['A profile is partial: its program was stopped.']
      : []),
  ];
}

function figures(change: Change, name: string, noise_percent: number, sign: 1 | -1): string[] {
  const { before, after, change_percent } = change;
  if (change_percent === null || sign * change_percent <= noise_percent) return [];
  return [`${name} ${before} to ${after} (${change_percent > 0 ? '+' : ''}${change_percent} %)`];
}

function functionInWords({
  function_name,
  file,
  before_s,
  after_s,
  status,
}: FunctionChange): string {
  if (status === 'new') return `${function_name} (${file}) is new: ${after_s} s of CPU`;
  if (status === 'gone') return `${function_name} (${file}) is gone: it took ${before_s} s of CPU`;
  return `${function_name} (${file}) ${before_s} to ${after_s} s of CPU`;
}

const leakCount = (profiles: readonly StoredProfile[]): number =>
  Math.max(0, ...profiles.map(({ profile }) => leakRows(profile).length));
