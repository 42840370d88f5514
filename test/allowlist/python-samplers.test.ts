import { describe, expect, test } from 'vitest';
import { Refused } from '../../allowlist/command.ts';
import { pythonSamplers, samplePython } from '../../allowlist/python-samplers.ts';

const [pySpy, austin] = pythonSamplers([]);
if (!pySpy || !austin) throw new Error('none of the system');
const plain = {
  ...pySpy,
  pid: 1234,
  duration_s: 5,
  rate_hz: 100,
  output: '/tmp/tracewright/stacks.txt',
};

test('a process is watched without being stopped, and its stacks go to a file of ours', () => {
  expect(samplePython(plain).args).toEqual([
    ...['record', '--pid', '1234', '--duration', '5', '--rate', '100'],
    ...['--format', 'raw', '--full-filenames', '--nonblocking'],
    ...['--output', '/tmp/tracewright/stacks.txt'],
  ]);
});

test('Austin is asked for the same, in microseconds', () => {
  expect(samplePython({ ...plain, ...austin }).args).toEqual([
    ...['-s', '-i', '10000us', '-x', '5', '-p', '1234', '-o', '/tmp/tracewright/stacks.txt'],
  ]);
});

test('those beside the Python that the operator chose come before those of the system', () => {
  const found = pythonSamplers(['/opt/app/bin/python3']).map(({ program }) => program.candidates);
  expect(found).toEqual([
    ['/opt/app/bin/py-spy'],
    ['/usr/local/bin/py-spy', '/usr/bin/py-spy'],
    ['/opt/app/bin/austin'],
    ['/usr/local/bin/austin', '/usr/bin/austin'],
  ]);
});

describe('is refused', () => {
  test.each([
    ['no process', { pid: 0 }],
    ['part of a process', { pid: 1.5 }],
    ['an hour', { duration_s: 3600 }],
    ['a rate of 0', { rate_hz: 0 }],
    ['a relative file', { output: 'out.txt' }],
  ])('%s', (_what, wrong) => {
    expect(() => samplePython({ ...plain, ...wrong })).toThrow(Refused);
  });
});
