import { expect, test } from 'vitest';
import type { ScaleneLine, ScaleneProfile } from '../../parsers/scalene/scalene.ts';
import { hotspots, waits } from '../../src/analysis/python-hotspots.ts';
import { recorded } from '../collectors/kept-python.ts';

const idle: ScaleneLine = {
  line: 1,
  source: 'x = 1',
  loop: null,
  function_line: null,
  python_pct: 0,
  native_pct: 0,
  waiting_pct: 0,
  gpu_pct: 0,
  gpu_memory_mb: 0,
  peak_mb: 0,
  average_mb: 0,
  allocated_mb: 0,
  sampled_allocations: 0,
  allocated_pct: 0,
  copied_mb_per_s: 0,
  core_utilization_pct: 0,
  cpu_samples: null,
};

/** A profile of lines that differ from an idle one in this. */
function profileOf(...lines: readonly Partial<ScaleneLine>[]): ScaleneProfile {
  return {
    series: '2.x',
    elapsed_s: 2,
    program: '/srv/app.py',
    args: [],
    memory: true,
    gpu_device: null,
    max_footprint_mb: 10,
    growth_pct: 0,
    allocation_samples: 1,
    footprint: [],
    stacks: [],
    files: [
      {
        path: '/srv/app.py',
        share_pct: 100,
        lines: lines.map((line, index) => ({ ...idle, line: index + 1, ...line })),
        functions: [],
        leaks: [],
      },
    ],
  };
}

test('the dearest line comes first and idle lines not at all', () => {
  const profile = profileOf({ python_pct: 5 }, {}, { native_pct: 30 }, { python_pct: 20 });
  expect(hotspots(profile, 'cpu').map((each) => each.lineno)).toEqual([3, 4, 1]);
});

test('seconds of a line are its share of the run', () => {
  const [line] = hotspots(profileOf({ python_pct: 20, native_pct: 5 }), 'cpu');
  expect(line).toMatchObject({ cpu_percent: 25, cpu_s: 0.5 });
});

test.each([
  ['cpu', { python_pct: 5 }, 'low'],
  ['cpu', { python_pct: 5.1 }, 'medium'],
  ['cpu', { python_pct: 20.1 }, 'high'],
  ['cpu', { python_pct: 30, native_pct: 20.1 }, 'critical'],
  ['memory', { peak_mb: 10 }, 'low'],
  ['memory', { peak_mb: 10.1 }, 'medium'],
  ['memory', { peak_mb: 100.1 }, 'high'],
  ['memory', { peak_mb: 1025 }, 'critical'],
  ['gpu', { gpu_pct: 10.1 }, 'medium'],
  ['gpu', { gpu_pct: 50.1 }, 'high'],
] as const)('%s %o is %s', (type, line, severity) => {
  expect(hotspots(profileOf(line), type)[0]?.severity).toBe(severity);
});

test.each([
  [
    'cpu',
    { python_pct: 60, loop: [1, 4] },
    'python-loop',
    '60.0 % in Python, inside the loop of lines 1 to 4',
  ],
  ['cpu', { python_pct: 60 }, 'python', '60.0 % in Python'],
  ['cpu', { python_pct: 10, native_pct: 40 }, 'native', '40.0 % in native code, 10.0 % in Python'],
  ['cpu', { python_pct: 3, waiting_pct: 70 }, 'waits', '70.0 % of the run waiting, 3.0 % on a CPU'],
  ['memory', { peak_mb: 300, average_mb: 290 }, 'large-peak', 'peak of 300.0 MB'],
  ['memory', { peak_mb: 50, average_mb: 5 }, 'spikes', 'peak of 50.0 MB, 5.0 MB on average'],
  [
    'memory',
    { peak_mb: 50, average_mb: 40, sampled_allocations: 1001 },
    'many-allocations',
    '1001 sampled allocations',
  ],
  [
    'memory',
    { peak_mb: 50, average_mb: 40, copied_mb_per_s: 500 },
    'copies',
    '500.0 MB copied per second',
  ],
  ['gpu', { gpu_pct: 60 }, 'gpu', '60 % GPU time'],
] as const)('%s %o is advised by the rule %s', (type, line, rule, evidence) => {
  const [found] = hotspots(profileOf(line), type);
  expect(found).toMatchObject({ rule, evidence, recommendation: expect.stringMatching(/\w{3}/) });
});

test('a line without a rule has no advice', () => {
  expect(hotspots(profileOf({ python_pct: 4 }), 'cpu')[0]).toMatchObject({
    rule: null,
    recommendation: null,
    evidence: null,
  });
});

test('a sleep waits and is no CPU hotspot', () => {
  const profile = recorded('sleep-walltime');
  expect(waits(profile)[0]?.source).toMatch(/sleep/);
  expect(hotspots(profile, 'cpu')[0]?.line).not.toMatch(/sleep/);
});
