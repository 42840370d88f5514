import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ParseError } from '../../parsers/parsed.ts';
import { parseScalene, type ScaleneProfile } from '../../parsers/scalene/scalene.ts';

const read = (name: string): ScaleneProfile => {
  const folder = readdirSync('fixtures/scalene').find((each) => each.startsWith(`${name}.`));
  const profile = parseScalene(readFileSync(`fixtures/scalene/${folder}/input.txt`, 'utf8'));
  if (!profile) throw new Error(`${name} has no samples`);
  return profile;
};
const sampled = readdirSync('fixtures/scalene').filter((name) => !name.startsWith('empty.'));

describe.each(sampled)('%s', (name) => {
  const profile = parseScalene(readFileSync(`fixtures/scalene/${name}/input.txt`, 'utf8'));

  test('tells its series', () => {
    expect(profile?.series).toBe(name.includes('scalene-2') ? '2.x' : '1.x');
  });

  test('has lines whose time adds up to the time of the run', () => {
    const lines = profile?.files.flatMap((file) => file.lines) ?? [];
    const total = lines.reduce(
      (sum, line) =>
        sum + (line.python_pct ?? 0) + (line.native_pct ?? 0) + (line.waiting_pct ?? 0),
      0,
    );
    expect(total).toBeGreaterThan(90);
    expect(total).toBeLessThan(100.5);
  });

  test('names every function', () => {
    for (const { name: called } of profile?.files.flatMap((file) => file.functions) ?? []) {
      expect(called).toMatch(/^[\w.<>]+$/);
    }
  });
});

test('source is shown as it was written', () => {
  const lines = read('escaped-source').files.flatMap((file) => file.lines);
  expect(lines.some((line) => /[<>&]/.test(line.source))).toBe(true);
  expect(lines.every((line) => !line.source.includes('\\u003'))).toBe(true);
});

test('waiting is not taken for computing', () => {
  const sleeping = read('sleep-walltime').files.flatMap((file) => file.lines);
  const sleep = sleeping.find((line) => line.source.includes('sleep('));
  expect(sleep?.waiting_pct).toBeGreaterThan(50);
  expect(sleep?.python_pct).toBeLessThan(5);
});

test('a profile that SIGTERM ended has no arguments', () => {
  expect(read('sigterm-partial-args-null').args).toBeNull();
});

test('an empty object is a run without samples', () => {
  expect(parseScalene('{}\n')).toBeNull();
});

test.each([
  ['<!DOCTYPE html><html>', /HTML/],
  ['{"files": {"a": {"lines": [', /end is missing/],
  ['[]', /not an object/],
  ['{"elapsed_time_sec": 1}', /no "files"/],
])('%j is refused', (input, reason) => {
  expect(() => parseScalene(input)).toThrow(ParseError);
  expect(() => parseScalene(input)).toThrow(reason);
});

test("Python's NaN is absent, inside a text it is text", () => {
  const profile = parseScalene(
    '{"files": {}, "elapsed_time_sec": NaN, "growth_rate": -Infinity, "program": "NaN"}',
  );
  expect(profile).toMatchObject({ elapsed_s: null, growth_pct: null, program: 'NaN' });
});

test.each([
  ['stacks', 'of triples'],
  ['cpu-stacks', 'of texts'],
])('stacks in the form of %s (%s) have frames with function and line', (name) => {
  const [stack] = read(name).stacks;
  expect(stack?.samples).toBeGreaterThan(0);
  expect(stack?.frames.at(-1)).toEqual({
    file: expect.stringMatching(/\.py$/),
    function: expect.stringMatching(/^[\w.<>]+$/),
    line: expect.any(Number),
  });
});
