import { expect, test } from 'vitest';
import { perfRefusal } from '../../src/collectors/perf-refusals.ts';
import { fakeHost, scriptedContext } from '../fake-host.ts';

const ctx = scriptedContext(fakeHost({}));
const silent = { stderr: '', event: 'cpu-clock', isTracepoint: false } as const;

test('perf that ends without a word on a process that nobody may look into was refused it', () => {
  const target = { scope: 'pid', pid: 1, comm: 'init' } as const;
  expect(perfRefusal(ctx, { ...silent, target })).toMatchObject({
    code: 'PERMISSION_DENIED',
    message: expect.stringContaining('process 1'),
  });
});

test('of the whole machine that is a failure of its own', () => {
  expect(perfRefusal(ctx, { ...silent, target: { scope: 'all' } })).toMatchObject({
    code: 'EXECUTION_FAILED',
  });
});
