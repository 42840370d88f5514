import { expect, test } from 'vitest';
import { didYouMean, thereIsNo } from '../src/did-you-mean.ts';

const names = ['doctor', 'summary', 'perf_triage', 'perf_cpu_profile', 'perf_offcpu_profile'];

test.each([
  ['docter', 'doctor'],
  ['sumary', 'summary'],
  ['dcotor', 'doctor'],
  ['PERF_TRIAGE', 'perf_triage'],
  ['triage', 'perf_triage'],
  ['perf_cpu', 'perf_cpu_profile'],
])('%s is near to %s', (word, name) => {
  expect(didYouMean(word, names)).toBe(` Did you mean "${name}"?`);
});

test.each(['top', 'profile', 'x', '', 'd'.repeat(100_000)])('nothing is near to %.20s', (word) => {
  expect(didYouMean(word, names)).toBe('');
});

test('a missing name is asked for, a wrong one is cut', () => {
  expect(thereIsNo('tool', '', names)).toBe('Which tool?');
  expect(thereIsNo('tool', 'docter', names)).toBe(
    'There is no tool "docter". Did you mean "doctor"?',
  );
  expect(thereIsNo('tool', 'x'.repeat(500), names).length).toBeLessThan(120);
});
