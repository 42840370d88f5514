import { describe, expect, test } from 'vitest';
import { fileUses, functionUses } from '../../src/analysis/python-functions.ts';
import { placedLines } from '../../src/analysis/python-lines.ts';
import { recorded, recordings } from '../collectors/kept-python.ts';

const time = (rows: readonly Readonly<{ cpu_percent: number; waiting_percent: number }>[]) =>
  rows.reduce((sum, row) => sum + row.cpu_percent + row.waiting_percent, 0);

describe.each(recordings)('%s', (name) => {
  const profile = recorded(name);
  const lines = placedLines(profile).reduce(
    (sum, line) => sum + line.cpu_pct + (line.waiting_pct ?? 0),
    0,
  );

  test('functions together are the run, and so are files', () => {
    // Each row is rounded to two digits.
    expect(Math.abs(time(functionUses(profile)) - lines)).toBeLessThan(0.1);
    expect(Math.abs(time(fileUses(profile)) - lines)).toBeLessThan(0.1);
  });

  test('the dearest function is the one that Scalene names', () => {
    // Its own figures differ by some percent from its lines, and by half where 2.x splits a loop.
    const [dearest] = profile.files
      .flatMap((file) => file.functions)
      .map(({ name: called, ...each }) => ({
        called,
        cpu: (each.python_pct ?? 0) + (each.native_pct ?? 0),
      }))
      .sort((a, b) => b.cpu - a.cpu);
    const ours = functionUses(profile).filter((each) => each.function_name !== '<module>');
    expect(ours[0]?.function_name).toBe(dearest?.called);
  });
});

test('the dearest function comes first, with its name and its first line', () => {
  const [first, second] = functionUses(recorded('cpu.python'));
  expect(first).toMatchObject({ function_name: 'hot', file: '/srv/app/cpu.py', start_line: 2 });
  expect(second).toMatchObject({ function_name: 'warm', start_line: 7 });
});

test('lines outside of all functions are those of the module', () => {
  const names = functionUses(recorded('exit3')).map((each) => each.function_name);
  expect(names).toContain('<module>');
});

test('what was sampled on the line of a definition is of the function', () => {
  // 18.25 % of waiting is in its body, 1.05 % on the line of its `def`.
  const churn = functionUses(recorded('memory.python')).find(
    (each) => each.function_name === 'churn',
  );
  expect(churn?.waiting_percent).toBeGreaterThan(19);
});
