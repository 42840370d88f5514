import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parsePySpy } from '../../parsers/py-spy/py-spy.ts';
import { pythonStacks } from '../../src/analysis/python-stacks.ts';

const recordedStacks = parsePySpy(
  readFileSync('fixtures/py-spy/hot.k6.18.44.py-spy-0.4.3/input.txt', 'utf8'),
).data;

test('the line that ran most comes first; its caller has its time in total', () => {
  const { samples, lines, stacks } = pythonStacks(recordedStacks);
  expect(samples).toBe(121);
  expect(lines[0]).toMatchObject({ function_name: 'hot', line: 7, self_percent: 66.9 });
  const caller = lines.find((each) => each.function_name === '<module>' && each.line === 21);
  expect(caller).toMatchObject({ self_percent: 0, total_percent: 94.2 });
  expect(stacks[0]?.stack).toEqual(['<module> (/tmp/app/hot.py:21)', 'hot (/tmp/app/hot.py:7)']);
});

test('a recursive line counts once for each sample', () => {
  const again = { function_name: 'fib', file: 'fib.py', line: 3 };
  const { lines } = pythonStacks([{ frames: [again, again, again], samples: 10 }]);
  expect(lines).toEqual([{ ...again, self_percent: 100, total_percent: 100 }]);
});

test('no stacks are no lines', () => {
  expect(pythonStacks([])).toEqual({ samples: 0, lines: [], stacks: [] });
});
