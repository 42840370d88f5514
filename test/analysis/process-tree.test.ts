import { describe, expect, test } from 'vitest';
import type { ProcessEvent } from '../../parsers/exec-events/exec-events.ts';
import { processTree, seenProcesses } from '../../src/analysis/process-tree.ts';
import { filterEvents, withoutOwn } from '../../src/collectors/exec-filter.ts';

const at = { at_ns: 1, uid: 0 };
const fork = (pid: number, child: number, comm = 'sh'): ProcessEvent => ({
  ...{ kind: 'fork', ...at, pid, child, child_comm: null, ppid: null, comm },
});
const exec = (pid: number, ppid: number | null, comm: string): ProcessEvent => ({
  ...{ kind: 'exec', ...at, pid, ppid, comm, filename: `/bin/${comm}`, args: [comm] },
  args_cut: false,
});
const exit = (pid: number, ppid: number, comm: string, code = 0): ProcessEvent => ({
  ...{ kind: 'exit', ...at, pid, ppid, comm, code, signal: null, age_ns: 2_000_000 },
});

const events = [
  fork(10, 11),
  exec(11, 10, 'make'),
  fork(11, 12, 'make'),
  exec(12, 11, 'cc'),
  exit(12, 11, 'cc', 1),
  fork(20, 21, 'cron'),
];
const limits = { nodes: 100, depth: 10, children: 10 };
const nameOf = (pid: number): string => seenProcesses(events).get(pid)?.comm ?? `pid ${pid}`;

test('children stand below their parents, with what they ran and how they ended', () => {
  const { tree, max_depth, left_out } = processTree(seenProcesses(events), limits, nameOf);
  expect(tree).toMatchObject([
    {
      pid: 10,
      comm: 'sh',
      exited: false,
      children: [
        {
          pid: 11,
          comm: 'make',
          exec_count: 1,
          children: [
            { pid: 12, comm: 'cc', exec_count: 1, exited: true, exit_code: 1, duration_ms: 2 },
          ],
        },
      ],
    },
    { pid: 20, comm: 'cron', children: [{ pid: 21 }] },
  ]);
  expect({ max_depth, left_out }).toEqual({ max_depth: 3, left_out: 0 });
});

test('what does not fit is counted by name', () => {
  const many = Array.from({ length: 50 }, (_, index) => [
    fork(1, 100 + index),
    exec(100 + index, 1, 'true'),
  ]).flat();
  const seen = seenProcesses(many);
  const { tree, left_out } = processTree(seen, { ...limits, children: 3 }, () => 'true');
  expect(tree[0]?.children).toHaveLength(3);
  expect(tree[0]?.more).toEqual({ true: 47 });
  expect(left_out).toBe(47);
});

test('a chain of ten thousand processes and a circle of parents end', () => {
  const chain = Array.from({ length: 10_000 }, (_, index) => fork(index + 1, index + 2));
  const long = processTree(seenProcesses(chain), limits, String);
  expect(long.max_depth).toBe(10_001);
  const circle = [exec(1, 2, 'a'), exec(2, 1, 'b')];
  expect(processTree(seenProcesses(circle), limits, String).max_depth).toBeLessThanOrEqual(2);
});

describe('filters', () => {
  const all = { pid: null, name: null, uid: null, failed_only: false };
  const pids = (chosen: readonly ProcessEvent[]) =>
    chosen.map((event) => (event.kind === 'fork' ? event.child : event.pid));

  test('a process brings all that is below it', () => {
    expect(pids(filterEvents(events, { ...all, pid: 11 }))).toEqual([11, 11, 12, 12, 12]);
    expect(pids(filterEvents(events, { ...all, pid: 20 }))).toEqual([21]);
  });

  test('a name finds programs, files and what a child became, in any case', () => {
    expect(pids(filterEvents(events, { ...all, name: 'CC' }))).toEqual([12, 12, 12]);
  });

  test('another user, failed calls alone', () => {
    expect(filterEvents(events, { ...all, uid: 1 })).toEqual([]);
    expect(filterEvents(events, { ...all, failed_only: true })).toEqual([]);
  });

  test('what the server itself began is no news, what it found is', () => {
    expect(pids(withoutOwn(events, 11))).toEqual([11, 11, 21]);
    expect(withoutOwn(events, 5)).toEqual(events);
    expect(withoutOwn(events, null)).toEqual(events);
  });
});
