import { expect, test } from 'vitest';
import type { ScaleneProfile } from '../../parsers/scalene/scalene.ts';
import { compareProfiles } from '../../src/analysis/python-compare.ts';
import { recorded } from '../collectors/kept-python.ts';

const cpu = recorded('cpu.python');
const lasting = (elapsed_s: number, profile = cpu): ScaleneProfile => ({ ...profile, elapsed_s });

/** The same program with so many lines more at its top. */
const shifted = (profile: ScaleneProfile, by: number): ScaleneProfile => ({
  ...profile,
  files: profile.files.map((file) => ({
    ...file,
    path: `/other/place/${file.path.split('/').at(-1)}`,
    lines: file.lines.map((line) => ({ ...line, line: line.line + by })),
    functions: file.functions.map((each) => ({ ...each, line: each.line + by })),
  })),
});

const renamed = (profile: ScaleneProfile, from: string, to: string): ScaleneProfile => ({
  ...profile,
  files: profile.files.map((file) => ({
    ...file,
    functions: file.functions.map((each) => (each.name === from ? { ...each, name: to } : each)),
  })),
});

test('elapsed times are compared as Scalene wrote them', () => {
  const { runtime } = compareProfiles([recorded('sleep-walltime')], [cpu]);
  expect(runtime).toEqual({ before: 1.762, after: 0.528, change_percent: -70.05 });
});

test('a function is the same one on other lines and in another folder', () => {
  const { functions } = compareProfiles([cpu], [shifted(cpu, 40)]);
  expect(functions.map((each) => each.status)).toEqual(functions.map(() => 'same'));
});

test('what got slower comes first, in seconds', () => {
  const { functions } = compareProfiles([cpu], [lasting(2 * (cpu.elapsed_s ?? 0))]);
  expect(functions[0]).toMatchObject({ function_name: 'hot', status: 'slower' });
  expect(functions[0]?.after_s).toBeCloseTo(2 * (functions[0]?.before_s ?? 0), 2);
});

test('what is there once only is new or gone', () => {
  const { functions } = compareProfiles([cpu], [renamed(cpu, 'warm', 'mild')]);
  const status = (name: string) => functions.find((each) => each.function_name === name)?.status;
  expect([status('warm'), status('mild')]).toEqual(['gone', 'new']);
});

test('without repeated runs 5 % are taken for noise', () => {
  const { noise_percent, noise_source } = compareProfiles([cpu], [cpu]);
  expect({ noise_percent, noise_source }).toEqual({ noise_percent: 5, noise_source: 'assumed' });
});

test('three runs tell the noise, and medians are compared', () => {
  const runs = [lasting(1), lasting(1.2), lasting(0.9)];
  const { runtime, noise_percent, noise_source } = compareProfiles(runs, [lasting(1.1)]);
  // Half of the range from 0.9 to 1.2 is 15 % of the median.
  expect({ noise_percent, noise_source }).toEqual({
    noise_percent: 15,
    noise_source: 'repeated runs',
  });
  expect(runtime).toEqual({ before: 1, after: 1.1, change_percent: 10 });
});

test('within that noise a function is the same', () => {
  const slow = { ...cpu, elapsed_s: 10 };
  const noisy = [lasting(10), lasting(12), lasting(8)];
  const alone = compareProfiles([slow], [lasting(11.5)]).functions[0];
  const known = compareProfiles(noisy, [lasting(11.5)]).functions[0];
  expect([alone?.status, known?.status]).toEqual(['slower', 'same']);
});

test('memory that was not profiled is absent', () => {
  const unmeasured = { ...cpu, memory: false };
  expect(compareProfiles([unmeasured], [unmeasured]).memory).toEqual({
    before: null,
    after: null,
    change_percent: null,
  });
});
