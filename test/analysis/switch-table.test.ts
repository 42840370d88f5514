import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseCollection, type SwitchCounts } from '../../parsers/collection/collection.ts';
import { switchTable } from '../../src/analysis/switch-table.ts';

const counts = (
  per_cpu: Record<string, number>,
  from: Record<string, number>,
  to: Record<string, number>,
): SwitchCounts => ({
  per_cpu: new Map(Object.entries(per_cpu)),
  from: new Map(Object.entries(from)),
  to: new Map(Object.entries(to)),
  exited: new Map(),
});

const rows = (before: SwitchCounts | null, after: SwitchCounts) => [
  ...switchTable(before, after).processes.values(),
];

test('what was counted before the window is no part of it', () => {
  const before = counts({ 1: 10 }, { 7: 6, 8: 4 }, { 7: 5, 8: 5 });
  const after = counts({ 0: 2, 1: 13 }, { 7: 9, 8: 6 }, { 7: 10, 8: 5 });
  const table = switchTable(before, after);
  expect(table.context_switches).toBe(5);
  expect(table.per_cpu).toEqual([
    { cpu: 0, switches: 2 },
    { cpu: 1, switches: 3 },
  ]);
  expect([...table.processes.values()]).toEqual([
    { tgid: 7, switches_from: 3, switches_to: 5 },
    { tgid: 8, switches_from: 2, switches_to: 0 },
  ]);
});

test('CPUs come in the order of their numbers, not of their text', () => {
  const { per_cpu } = switchTable(null, counts({ 10: 1, 9: 1, 0: 1 }, {}, {}));
  expect(per_cpu.map(({ cpu }) => cpu)).toEqual([0, 9, 10]);
});

test('switches to threads are counted for the process that the thread left as', () => {
  const after = counts({ 0: 9 }, { '7,7': 4, '7,71': 3, '8,8': 2 }, { 7: 4, 71: 3, 8: 2 });
  expect(rows(null, after)).toEqual([
    { tgid: 7, switches_from: 7, switches_to: 7 },
    { tgid: 8, switches_from: 2, switches_to: 2 },
  ]);
});

test('a thread that was seen before the window is still known in it', () => {
  const before = counts({ 0: 3 }, { '7,71': 3 }, { 71: 3 });
  const after = counts({ 0: 4 }, { '7,71': 3, '8,8': 1 }, { 71: 4 });
  expect(rows(before, after)).toContainEqual({ tgid: 7, switches_from: 0, switches_to: 1 });
});

test('a thread id that was used twice counts for both processes', () => {
  const after = counts({ 0: 11 }, { '7,71': 4, '9,71': 6 }, { 71: 11 });
  expect(rows(null, after)).toEqual([
    { tgid: 7, switches_from: 4, switches_to: 4 },
    { tgid: 9, switches_from: 6, switches_to: 7 },
  ]);
});

test('switches without a process are told, not given to another', () => {
  const { unattributed, processes } = switchTable(
    null,
    counts({ 0: 10 }, { '7,7': 8 }, { 7: 5, 99: 3 }),
  );
  expect(unattributed).toEqual({ from: 2, to: 5 });
  expect([...processes.keys()]).toEqual([7]);
});

test.each(['k6.18.44.bpftrace-0.17.0', 'k6.18.15+deb13.bpftrace-0.23.2'])(
  'tables that were full when recorded lack switches, others hardly any (%s)',
  (recorded) => {
    const table = (name: string) => {
      const text = readFileSync(`fixtures/collection/${name}.${recorded}/input.txt`, 'utf8');
      return switchTable(null, parseCollection(text));
    };
    const full = table('full-tables');
    expect(full.unattributed.from).toBeGreaterThan(full.context_switches * 0.1);
    const whole = table('pipe-2cpu');
    expect(whole.unattributed.from).toBeLessThan(3);
    expect(whole.context_switches).toBeGreaterThan(1000);
  },
);
