import { expect, test } from 'vitest';
import { parsePidStat } from '../../parsers/pid-stat/pid-stat.ts';
import { compareThreads, type ThreadsSample } from '../../src/collectors/thread-samples.ts';
import { type ProcessThreads, threadUses } from '../../src/collectors/thread-uses.ts';

const counts = (run_ns: number) => ({
  run_ns,
  wait_ns: 0,
  timeslices: 1,
  voluntary: 0,
  involuntary: 0,
  migrations: 0,
  wakeups: null,
});

const sample = (at_ms: number, threads: number, runs: Record<number, number>): ThreadsSample => ({
  at_ms,
  threads,
  main: null,
  counts: new Map(Object.entries(runs).map(([tid, run_ns]) => [Number(tid), counts(run_ns)])),
});

test('a thread that was not in the first sample began in the window', () => {
  const before = sample(0, 1, { 7: 100 });
  const after = sample(1000, 2, { 7: 150, 8: 40 });
  expect(compareThreads(before, after)).toMatchObject([
    { tid: 7, used: { run_ns: 50 }, started_in_window: false },
    { tid: 8, used: { run_ns: 40 }, started_in_window: true },
  ]);
});

// The oldest are looked at: where one of them ends, an old one comes into view.
test('a thread that only came into view is none that began: what it used is not known', () => {
  const before = sample(0, 3, { 7: 100, 8: 900 });
  const after = sample(1000, 2, { 7: 150, 9: 5e9 });
  expect(compareThreads(before, after).map(({ tid }) => tid)).toEqual([7]);

  const stat = (tid: number, ticks: number) =>
    parsePidStat(
      `${tid} (pool) S 1 7 7 0 -1 0 0 0 0 0 ${ticks} 0 0 0 20 0 3 0 5000 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n`,
    );
  const thread = (tid: number, ticks: number) => ({
    stat: stat(tid, ticks),
    run_ns: ticks * 1e7,
    wait_ns: 0,
    voluntary: 1,
    involuntary: 1,
  });
  const process = (at_ms: number, total: number, threads: readonly (readonly [number, number])[]) =>
    ({
      at_ms,
      starttime_ticks: 1,
      user_ms: 0,
      system_ms: 0,
      total,
      threads: new Map(threads.map(([tid, ticks]) => [tid, thread(tid, ticks)])),
    }) satisfies ProcessThreads;
  const [first, second] = [
    process(0, 3, [
      [7, 10],
      [8, 90],
    ]),
    process(1000, 2, [
      [7, 15],
      [9, 50_000],
    ]),
  ];
  expect(threadUses(first, second).map(({ tid, user_ms }) => [tid, user_ms])).toEqual([[7, 50]]);
});

test('a thread id that was used again is that of a new thread', () => {
  const between = compareThreads(sample(0, 1, { 7: 900 }), sample(1000, 1, { 7: 40 }));
  expect(between).toMatchObject([{ tid: 7, used: { run_ns: 40 }, started_in_window: true }]);
});
