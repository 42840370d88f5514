import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collectOneProcess } from '../../src/collectors/one-process.ts';
import { type FakeProc, fakeProc } from '../fake-proc.ts';
import { call, type Steps, steppedContext } from '../stepped-context.ts';

let host: FakeProc;
beforeEach(() => {
  host = fakeProc();
});
afterEach(() => host.dispose());

const read = (pid: number, steps: Steps = [], query: object = {}) =>
  collectOneProcess(
    steppedContext(host.root, steps),
    { pid, sort: 'cpu', limit: 20, offset: 0, ...query },
    call,
  );

const worker = { tid: 8, comm: 'worker', run_ns: 1e9, wait_ns: 1e9, timeslices: 10, migrations: 3 };

test('a process is told with its threads, the busiest first', async () => {
  host.write({ pid: 7, comm: 'pool', others: [worker] });
  const { data, window_ms, summary } = await read(7, [
    () =>
      host.write({
        pid: 7,
        comm: 'pool',
        others: [{ ...worker, run_ns: 1.4e9, wait_ns: 1.05e9, timeslices: 20, migrations: 4 }],
      }),
  ]);
  expect(window_ms).toBe(500);
  expect(data.processes).toMatchObject([
    { pid: 7, comm: 'pool', cpu_pct: 80, run_queue_wait_pct: 10, migrations_per_s: 2 },
  ]);
  expect(data.thread_rows).toMatchObject([
    { tid: 8, comm: 'worker', cpu_pct: 80, avg_wait_ns: 5_000_000, nr_migrations_total: 4 },
    { tid: 7, comm: 'pool', cpu_pct: 0, avg_wait_ns: null },
  ]);
  // One within the window, four in all.
  expect(summary.join('\n')).toContain('migrations 2/s, 4 since start.');
});

test('threads come in pages', async () => {
  host.write({ pid: 7, others: [worker] });
  const first = await read(7, [], { limit: 1, sort: 'pid' });
  expect(first).toMatchObject({ truncated: true, total: 2 });
  expect(first.next).toBe('stats://aggregated/process?pid=7&sort=pid&limit=1&offset=1');
  const { data } = await read(7, [], { limit: 1, offset: 1, sort: 'pid' });
  expect(data.thread_rows.map(({ tid }) => tid)).toEqual([8]);
});

test('the id of a thread leads to its process', async () => {
  host.write({ pid: 7, others: [worker] });
  // The kernel answers for a thread id although it does not list it.
  host.write({ pid: 8 });
  writeFileSync(host.path('8/status'), 'Name:\tworker\nTgid:\t7\nPid:\t8\n');
  const { data, summary } = await read(8);
  expect(data.processes[0].pid).toBe(7);
  expect(summary[0]).toBe('8 is a thread of process 7.');
});

test('a process that is not there, or ends meanwhile, is PID_NOT_FOUND', async () => {
  const notFound = expect.objectContaining({ code: 'PID_NOT_FOUND' });
  await expect(read(7)).rejects.toThrow(notFound);
  host.write({ pid: 7 });
  await expect(read(7, [() => host.remove(7)])).rejects.toThrow(notFound);
  host.write({ pid: 7 });
  const reused = () => host.write({ pid: 7, starttime_ticks: 2000 });
  await expect(read(7, [reused])).rejects.toThrow(notFound);
});
