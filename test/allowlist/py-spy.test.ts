import { describe, expect, test } from 'vitest';
import { Refused } from '../../allowlist/command.ts';
import { pySpies, pySpyRecord } from '../../allowlist/py-spy.ts';

const [system] = pySpies(null);
if (!system) throw new Error('no py-spy of the system');
const plain = {
  program: system,
  pid: 1234,
  duration_s: 5,
  rate_hz: 99,
  output: '/tmp/tracewright/py-spy.txt',
};

test('a process is watched without being stopped, and its stacks go to a file of ours', () => {
  expect(pySpyRecord(plain).args).toEqual([
    ...['record', '--pid', '1234', '--duration', '5', '--rate', '99'],
    ...['--format', 'raw', '--full-filenames', '--nonblocking'],
    ...['--output', '/tmp/tracewright/py-spy.txt'],
  ]);
});

test('the py-spy beside the Python that the operator chose comes before that of the system', () => {
  const candidates = pySpies('/opt/app/bin/python3').flatMap((each) => each.candidates);
  expect(candidates).toEqual(['/opt/app/bin/py-spy', '/usr/local/bin/py-spy', '/usr/bin/py-spy']);
});

test('a Python that is no absolute path brings none', () => {
  expect(pySpies('python3.11')).toEqual(pySpies(null));
});

describe('is refused', () => {
  test.each([
    ['no process', { pid: 0 }],
    ['part of a process', { pid: 1.5 }],
    ['an hour', { duration_s: 3600 }],
    ['a rate of 0', { rate_hz: 0 }],
    ['a relative file', { output: 'out.txt' }],
  ])('%s', (_what, wrong) => {
    expect(() => pySpyRecord({ ...plain, ...wrong })).toThrow(Refused);
  });
});
