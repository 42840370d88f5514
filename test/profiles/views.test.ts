import { describe, expect, test } from 'vitest';
import { callPaths } from '../../src/profiles/call-paths.ts';
import { foldedText } from '../../src/profiles/folded-text.ts';
import { frameTree } from '../../src/profiles/frame-tree.ts';
import { functionChanges } from '../../src/profiles/profile-diff.ts';
import { topFunctions } from '../../src/profiles/top-functions.ts';
import { treeLines, treeText } from '../../src/profiles/tree-lines.ts';
import { withTasks } from '../../src/profiles/with-tasks.ts';
import { manyStacks, profileOf } from './sample-profile.ts';

const profile = profileOf([
  { stack: 'main;work;hash@/usr/lib/libc.so.6', weight: 60 },
  { stack: 'main;work', weight: 10 },
  { stack: 'main;read;sys_read_[k]', weight: 25 },
  { stack: 'main;walk;walk;walk', weight: 5 },
]);

const weights = (by: 'self' | 'total') =>
  new Map(topFunctions(profile, by).map(({ frame, self, total }) => [frame.name, [self, total]]));

describe('functions of a profile', () => {
  test('have the weight on top of stacks and the weight anywhere on them', () => {
    expect(weights('self').get('hash')).toEqual([60, 60]);
    expect(weights('self').get('work')).toEqual([10, 70]);
    expect(weights('total').get('main')).toEqual([0, 100]);
  });

  test('count recursion once', () => {
    expect(weights('total').get('walk')).toEqual([5, 5]);
  });

  test('come in the order of the weight asked for', () => {
    expect(topFunctions(profile, 'self')[0]?.frame.name).toBe('hash');
    expect(topFunctions(profile, 'total')[0]?.frame.name).toBe('main');
  });

  test('of one name in two modules stay two', () => {
    const two = profileOf([
      { stack: 'init@/a.so', weight: 1 },
      { stack: 'init@/b.so', weight: 2 },
    ]);
    expect(topFunctions(two, 'self').map(({ self }) => self)).toEqual([2, 1]);
  });
});

describe('callers and callees', () => {
  test('are told with their weights', () => {
    const paths = callPaths(profile, 'work');
    expect(paths).toMatchObject({ self: 10, total: 70 });
    expect(paths.callers).toEqual([{ name: 'main', weight: 70 }]);
    expect(paths.callees).toEqual([{ name: 'hash [libc.so.6]', weight: 60 }]);
  });

  test('add up to the function itself', () => {
    const many = manyStacks(2000);
    const name = topFunctions(many, 'total')[3]?.frame.name ?? '';
    const { self, total, callers, callees } = callPaths(many, name);
    const sum = (all: readonly { weight: number }[]) =>
      all.reduce((s, { weight }) => s + weight, 0);
    expect(sum(callers)).toBe(total);
    expect(sum(callees) + self).toBe(total);
  });

  test('of a part of a name are those of all functions that contain it', () => {
    expect(callPaths(profile, 'sys_').functions).toEqual(['sys_read']);
    expect(callPaths(profile, 'no such').total).toBe(0);
  });
});

describe('the call tree', () => {
  const lines = treeLines(profile, frameTree(profile), {
    min_pct: 6,
    max_depth: 50,
    max_lines: 50,
  });

  test('shows the heaviest branch first, indented, with its shares', () => {
    expect(lines.map(treeText)).toEqual([
      '100 % main',
      ' 70 % work (self 14.29 % of it)',
      '  60 % hash [libc.so.6]',
      ' 25 % read',
      '  25 % sys_read',
    ]);
  });

  test('says what light branches are together', () => {
    const two = profileOf([
      { stack: 'main;a', weight: 90 },
      { stack: 'main;b', weight: 5 },
      { stack: 'main;c', weight: 5 },
    ]);
    const pruned = treeLines(two, frameTree(two), { min_pct: 6, max_depth: 9, max_lines: 9 });
    expect(pruned.map(({ name, total }) => [name, total])).toEqual([
      ['main', 100],
      ['a', 90],
      ['(2 lighter)', 10],
    ]);
  });

  test('has the whole weight at its root and each stack in one place', () => {
    const many = manyStacks(3000);
    const tree = frameTree(many);
    expect(tree.totals[0]).toBe(many.total);
    expect(tree.selfs.reduce((sum, each) => sum + each, 0)).toBe(many.total);
    const distinct = new Set<string>();
    for (const { frames } of many.stacks) {
      for (let depth = 1; depth <= frames.length; depth++)
        distinct.add(frames.slice(0, depth).join());
    }
    expect(tree.parents).toHaveLength(distinct.size + 1);
  });
});

test('folded stacks are the widespread form, the task first', () => {
  expect(foldedText(profile).split('\n')).toContain('prog;main;work;hash 60');
  expect(foldedText(profile, { kernel: true })).toContain('prog;main;read;sys_read_[k] 25\n');
});

describe('two profiles', () => {
  const before = profileOf([
    { stack: 'main;work', weight: 500 },
    { stack: 'main;idle', weight: 500 },
  ]);
  const after = profileOf([
    { stack: 'main;work', weight: 1000 },
    { stack: 'main;idle', weight: 1010 },
    { stack: 'main;slow', weight: 990 },
  ]);

  test('are compared as shares, what changed most first', () => {
    const [first, ...rest] = functionChanges(before, after, 'self');
    expect(first).toMatchObject({
      function: 'slow',
      self_before_pct: 0,
      self_after_pct: 33,
      within_noise: false,
    });
    expect(rest.map((row) => row.self_change_pct)).toContain(-16.67);
  });

  test('that differ only in length differ in nothing', () => {
    const longer = {
      ...before,
      stacks: before.stacks.map((s) => ({ ...s, weight: s.weight * 3 })),
    };
    const rows = functionChanges(before, { ...longer, total: before.total * 3 }, 'self');
    expect(rows.map((row) => row.self_change_pct)).toEqual([0, 0, 0]);
  });

  test('know a function of a JIT again in another process', () => {
    const [one, two] = [12, 345].map((pid) =>
      profileOf([{ stack: `JS:*steady@/tmp/perf-${pid}.map`, weight: 100 }]),
    );
    const rows = functionChanges(one ?? before, two ?? before, 'self');
    expect(rows).toMatchObject([{ self_before_pct: 100, self_after_pct: 100 }]);
  });

  test('mark what chance alone can do: 5 samples more of 100', () => {
    const [one, two] = [50, 55].map((weight) =>
      profileOf([
        { stack: 'a', weight },
        { stack: 'b', weight: 100 - weight },
      ]),
    );
    const rows = functionChanges(one ?? before, two ?? before, 'self');
    expect(rows.map((row) => row.within_noise)).toEqual([true, true]);
    // Two standard deviations of a difference of 50 and 55 of 100: 2 x sqrt(105) percent.
    expect(rows[0]?.noise_pct).toBeCloseTo(20.49, 0);
  });
});

test('the task is the outermost frame where it is known', () => {
  const named = withTasks(
    profileOf([
      { stack: 'main', weight: 1, comm: null },
      { stack: 'main', weight: 1 },
    ]),
  );
  expect(named.stacks.map(({ frames }) => frames.length)).toEqual([1, 2]);
});
