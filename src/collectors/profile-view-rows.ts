import { TracewrightError } from '../errors.ts';
import { callPaths } from '../profiles/call-paths.ts';
import { profileWords } from '../profiles/flame-picture.ts';
import { type FoldedWish, foldedOptions, foldedText } from '../profiles/folded-text.ts';
import { frameTree } from '../profiles/frame-tree.ts';
import { frameLabel, moduleName, sharePct, weightText } from '../profiles/frame-words.ts';
import { functionChanges, noiseNote } from '../profiles/profile-diff.ts';
import { topFunctions } from '../profiles/top-functions.ts';
import { treeLines, treeText } from '../profiles/tree-lines.ts';
import { withTasks } from '../profiles/with-tasks.ts';
import type { Capture } from './profile-captures.ts';
import { beforeOf } from './profile-view-files.ts';

export const rowViews = ['summary', 'top', 'callers', 'tree', 'folded', 'diff'] as const;
export type RowView = (typeof rowViews)[number];

export type RowsQuery = Readonly<{
  function?: string | undefined;
  other: Capture | null;
}> &
  FoldedWish;

/** Rows of a view, all of them, and what to say of it. */
export type ViewRows = Readonly<{
  rows: readonly (object | string)[];
  summary: readonly string[];
  /** What stands beside the rows. */
  facts: object;
}>;

const tree_limits = { min_pct: 1, max_depth: 80, max_lines: 2000 };
const most_rows = 5000;

export function viewRows(capture: Capture, view: RowView, query: RowsQuery): ViewRows {
  switch (view) {
    case 'summary':
      return summary(capture);
    case 'top':
      return { ...top(capture), facts: {} };
    case 'callers':
      return callers(capture, query.function);
    case 'tree':
      return tree(capture);
    case 'folded':
      return folded(capture, query);
    case 'diff':
      return diff(capture, beforeOf(query.other));
  }
}

function top({ profile }: Capture): Pick<ViewRows, 'rows' | 'summary'> {
  const { total, unit } = profile;
  const rows = topFunctions(profile, 'self').map((each) => ({
    function: frameLabel(each.frame, 120),
    kind: each.frame.kind,
    self_pct: sharePct(each.self, total),
    total_pct: sharePct(each.total, total),
    self: each.self,
    total: each.total,
  }));
  const hottest = rows.slice(0, 5).map((each) => `${each.function} ${each.self_pct} %`);
  return { rows, summary: [`Of ${weightText(total, unit)}, most in ${hottest.join(', ')}.`] };
}

function summary(capture: Capture): ViewRows {
  const { profile, title } = capture;
  const { rows, summary: hottest } = top(capture);
  const tasks = new Map<string, number>();
  for (const { comm, pid, weight } of profile.stacks) {
    const key = pid === null ? `${comm ?? '[unknown]'}` : `${comm ?? '[unknown]'} (${pid})`;
    tasks.set(key, (tasks.get(key) ?? 0) + weight);
  }
  const modules = new Map<string, number>();
  for (const { frames, weight } of profile.stacks) {
    const frame = profile.frames[frames.at(-1) ?? -1];
    const module = frame?.module == null ? '[unknown]' : moduleName(frame.module);
    modules.set(module, (modules.get(module) ?? 0) + weight);
  }
  const { event, unit, total, samples, period, duration_ms, lost, warnings } = profile;
  const facts = { event, unit, total, samples, period, duration_ms, lost, notes: warnings };
  return {
    rows: rows.slice(0, 10),
    summary: [`${title}: ${profileWords(profile).join('; ')}.`, ...hottest],
    facts: {
      ...facts,
      distinct_stacks: profile.stacks.length,
      by_task: shares(tasks, total, 'task'),
      by_module: shares(modules, total, 'module'),
    },
  };
}

const shares = (sums: ReadonlyMap<string, number>, total: number, key: string) =>
  [...sums]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 10)
    .map(([name, weight]) => ({ [key]: name, pct: sharePct(weight, total) }));

function callers({ profile }: Capture, wanted: string | undefined): ViewRows {
  if (wanted === undefined) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      'The function whose callers are wanted is missing.',
      'Name the function: function=NAME, as view=top lists it.',
    );
  }
  const { functions, self, total, callers: above, callees } = callPaths(profile, wanted);
  if (functions.length === 0) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      `No function of the profile is called or contains "${wanted.slice(0, 100)}".`,
      'view=top lists the functions.',
    );
  }
  const rows = [
    ...above.map(({ name, weight }) => ({ caller: name, weight, pct: sharePct(weight, total) })),
    ...callees.map(({ name, weight }) => ({ callee: name, weight, pct: sharePct(weight, total) })),
  ];
  const most = (all: typeof above): string =>
    all
      .slice(0, 3)
      .map(({ name, weight }) => `${name} ${sharePct(weight, total)} %`)
      .join(', ');
  return {
    rows,
    facts: {
      functions: functions.slice(0, 20),
      self,
      total,
      self_pct: sharePct(self, profile.total),
      total_pct: sharePct(total, profile.total),
    },
    summary: [
      `${functions.slice(0, 3).join(', ')}: ${sharePct(total, profile.total)} % of all, ${sharePct(self, total)} % of that in itself.`,
      `Called by ${most(above)}.${callees.length > 0 ? ` It calls ${most(callees)}.` : ''}`,
    ],
  };
}

function tree({ profile }: Capture): ViewRows {
  const named = withTasks(profile);
  const lines = treeLines(named, frameTree(named), tree_limits);
  return {
    rows: lines.map(treeText),
    facts: { min_pct: tree_limits.min_pct },
    summary: [`Call tree, outermost first; branches below ${tree_limits.min_pct} % are summed up.`],
  };
}

function folded({ profile }: Capture, wish: FoldedWish): ViewRows {
  const all = foldedText(profile, foldedOptions(wish))
    .split('\n')
    .slice(0, -1)
    .map((line) => ({ line, weight: Number(line.slice(line.lastIndexOf(' ') + 1)) }))
    .sort((a, b) => b.weight - a.weight)
    .map(({ line }) => line);
  return {
    rows: all.slice(0, most_rows),
    facts: { lines: all.length },
    summary: [
      `${all.length} distinct stacks, heaviest first; view=folded.txt writes all to a file.`,
    ],
  };
}

function diff(after: Capture, before: Capture): ViewRows {
  const rows = functionChanges(before.profile, after.profile, 'self');
  const beyond = rows.filter(({ within_noise }) => !within_noise);
  const words = beyond
    .slice(0, 4)
    .map(
      (each) => `${each.function} ${each.self_change_pct > 0 ? '+' : ''}${each.self_change_pct}`,
    );
  return {
    rows: rows.slice(0, most_rows),
    facts: { before: before.id, note: noiseNote(before.profile, after.profile) },
    summary: [
      beyond.length === 0
        ? 'No function changed by more than chance can make of it.'
        : `${beyond.length} functions changed beyond noise; points of percent, self: ${words.join(', ')}.`,
    ],
  };
}
