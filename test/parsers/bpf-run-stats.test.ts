import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseBpfRunStats } from '../../parsers/bpf-fdinfo/bpf-run-stats.ts';

const recorded = (name: string) =>
  readFileSync(`fixtures/bpf-fdinfo/${name}.k6.18.44.cat-9.1/input.txt`, 'utf8');

test('the counters of a program', () => {
  expect(parseBpfRunStats(recorded('prog-raw-tracepoint'))).toEqual({
    run_cnt: 303,
    run_time_ns: 47_939,
    recursion_misses: 0,
  });
});

test('what is no program, or an older kernel, has none', () => {
  expect(parseBpfRunStats(recorded('link-cgroup'))).toEqual({
    run_cnt: null,
    run_time_ns: null,
    recursion_misses: null,
  });
});

test('a counter beyond 2^53 is absent, not rounded', () => {
  const text = 'run_time_ns:\t18446744073709551615\nrun_cnt:\t9007199254740991\n';
  expect(parseBpfRunStats(text)).toMatchObject({ run_time_ns: null, run_cnt: 2 ** 53 - 1 });
});
