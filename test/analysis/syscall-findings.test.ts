import { expect, test } from 'vitest';
import { syscallFindings } from '../../src/analysis/syscall-findings.ts';

const call = (name: string, count: number, avg_us: number | null = 1) => ({
  ...{ name, count, rate_per_sec: count, avg_us },
});
const ids = (calls: Parameters<typeof syscallFindings>[0], per_sec = 10) =>
  syscallFindings(calls, per_sec).map(({ id, metrics }) => [id, metrics['syscall']]);

test('a slow fsync is slow work; a long futex, poll, read or sleep is a wait', () => {
  const waits = ['futex', 'epoll_wait', 'poll', 'read', 'clock_nanosleep', 'wait4', 'recvfrom'];
  expect(ids(waits.map((name) => call(name, 10, 2_000_000)))).toEqual([]);
  expect(ids([call('fsync', 10, 25_000), call('pread64', 10, 9000)])).toEqual([
    ['high_latency_syscall', 'fsync'],
  ]);
});

test('one call that makes up most of many is told, of few it is not', () => {
  expect(ids([call('getppid', 900), call('read', 200)])).toEqual([['dominant_syscall', 'getppid']]);
  expect(ids([call('getppid', 9), call('read', 2)])).toEqual([]);
  expect(ids([call('getppid', 480), call('read', 520)])).toEqual([['dominant_syscall', 'read']]);
});

test('the rate decides, not the length of the window', () => {
  expect(ids([], 100_001).map(([id]) => id)).toEqual(['high_syscall_rate']);
  expect(ids([], 99_999)).toEqual([]);
});
