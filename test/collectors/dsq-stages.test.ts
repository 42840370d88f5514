import { expect, test } from 'vitest';
import { parseDsq } from '../../parsers/dsq/dsq.ts';
import { noteStage, type Stage, shareOut } from '../../src/collectors/dsq-stages.ts';
import type { SchedExtState } from '../../src/collectors/sched-ext.ts';

/** What bpftrace printed after half a second: so many inserts into queue 7. */
function slice(until_ms: number, inserts: number) {
  const lines = [
    `{"type": "stats", "data": {"@depth": {"7": {"count": ${inserts}, "total": 1}}}}`,
    '{"type": "map", "data": {"@intervals": 1}}',
  ];
  const { queues, ...output } = parseDsq(lines.join('\n'));
  return {
    from_ms: until_ms - 500,
    until_ms,
    output: { ...output, queues: new Map(Object.entries(queues)) },
  };
}

function loaded(name: string | null, enable_seq: number): SchedExtState {
  const ops = name === null ? null : { ops: name, name, version: null, build: null };
  return {
    supported: true,
    state: name === null ? 'disabled' : 'enabled',
    active: name !== null,
    ops,
    switch_all: true,
    nr_rejected: 0,
    hotplug_seq: 0,
    enable_seq,
    sub_schedulers: [],
    reason: null,
    fix: null,
  };
}

const told = (slices: readonly ReturnType<typeof slice>[], stages: readonly Stage[]) => {
  const { shares, left_out_ms } = shareOut(slices, stages);
  return {
    left_out_ms,
    shares: shares.map(({ state, window_ms, output }) => ({
      name: state.ops?.name,
      window_ms,
      inserts: output.queues.get('7')?.inserts ?? 0,
    })),
  };
};

test('one scheduler has all that was counted, over all intervals', () => {
  const slices = [slice(1510, 10), slice(2010, 20), slice(2510, 30)];
  expect(told(slices, [{ from_ms: 1000, state: loaded('fifo', 1) }])).toEqual({
    left_out_ms: 0,
    shares: [{ name: 'fifo', window_ms: 1500, inserts: 60 }],
  });
});

test('one that ended has all that was counted, over the time it was there', () => {
  const slices = [slice(1510, 10), slice(2010, 20), slice(2510, 5), slice(3010, 0)];
  const stages = [
    { from_ms: 1000, state: loaded('fifo', 1) },
    { from_ms: 2110, state: loaded(null, 1) },
  ];
  expect(told(slices, stages)).toEqual({
    left_out_ms: 0,
    shares: [{ name: 'fifo', window_ms: 1100, inserts: 35 }],
  });
});

test('one that came in between has its time alone', () => {
  const slices = [slice(1510, 0), slice(2010, 8), slice(2510, 20)];
  const stages = [
    { from_ms: 1000, state: loaded(null, 0) },
    { from_ms: 1810, state: loaded('fifo', 1) },
  ];
  expect(told(slices, stages).shares).toEqual([{ name: 'fifo', window_ms: 700, inserts: 28 }]);
});

test('two have each their own intervals; one that may be of both is of neither', () => {
  const slices = [1510, 2010, 2510, 3010, 3510, 4010].map((at, index) => slice(at, 10 ** index));
  const stages = [
    { from_ms: 1000, state: loaded('fifo', 1) },
    { from_ms: 2710, state: loaded('vtime', 2) },
  ];
  expect(told(slices, stages)).toEqual({
    left_out_ms: 500,
    shares: [
      { name: 'fifo', window_ms: 1500, inserts: 111 },
      { name: 'vtime', window_ms: 1000, inserts: 110_000 },
    ],
  });
});

test('a slice that ended just before a change was seen is left out as well', () => {
  const slices = [slice(1500, 1), slice(2000, 10), slice(2500, 100)];
  const stages = [
    { from_ms: 1000, state: loaded('fifo', 1) },
    { from_ms: 1520, state: loaded('vtime', 2) },
  ];
  expect(told(slices, stages)).toMatchObject({
    left_out_ms: 1000,
    shares: [{ inserts: 0 }, { name: 'vtime', window_ms: 500, inserts: 100 }],
  });
});

test('a load that is counted only after it was seen is not a second one', () => {
  const stages: Stage[] = [];
  noteStage(stages, { from_ms: 1000, state: loaded('fifo', 1) });
  noteStage(stages, { from_ms: 1020, state: loaded('fifo', 2) });
  noteStage(stages, { from_ms: 1040, state: loaded('fifo', 2) });
  expect(stages).toHaveLength(1);
  noteStage(stages, { from_ms: 3000, state: loaded(null, 2) });
  noteStage(stages, { from_ms: 3500, state: loaded('fifo', 3) });
  expect(stages.map(({ from_ms }) => from_ms)).toEqual([1000, 3000, 3500]);
});
