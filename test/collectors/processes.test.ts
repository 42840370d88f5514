import { chmodSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resourceDocument } from '../../src/answer.ts';
import { collectProcesses } from '../../src/collectors/processes.ts';
import type { Context } from '../../src/context.ts';
import { becomeNobody, becomeRoot, mayBecomeNobody } from '../as-nobody.ts';
import { type FakeProc, fakeProc } from '../fake-proc.ts';
import { call, type Steps, steppedContext } from '../stepped-context.ts';

const first20 = { limit: 20, offset: 0, sort: 'cpu' } as const;

let host: FakeProc;
beforeEach(() => {
  host = fakeProc();
});
afterEach(() => host.dispose());

/** The clock stands still but for sleeps; the first is the scan window, the second that of details. */
const context = (steps: Steps, daemon = false): Context => steppedContext(host.root, steps, daemon);

const rowsOf = async (steps: Steps, query: object = {}) => {
  const reading = await collectProcesses(context(steps), { ...first20, ...query }, call);
  return { ...reading, rows: reading.data.processes };
};

describe('what a process did', () => {
  const before = { pid: 7, comm: 'busy', run_ns: 1e9, wait_ns: 5e8, timeslices: 100 };

  test('CPU time and run queue wait are shares of the window', async () => {
    host.write({ ...before, utime_ticks: 80, stime_ticks: 20 });
    const { rows, window_ms } = await rowsOf([
      () =>
        host.write({
          ...before,
          run_ns: 1.25e9,
          wait_ns: 6e8,
          timeslices: 140,
          utime_ticks: 100,
          stime_ticks: 25,
        }),
    ]);
    expect(window_ms).toBe(500);
    expect(rows[0]).toMatchObject({
      cpu_pct: 50,
      user_pct: 40,
      system_pct: 10,
      runtime_ms: 250,
      total_runtime_ms: 1250,
      run_queue_wait_ms: 100,
      run_queue_wait_pct: 20,
      latency: { avg_ns: 2_500_000, min_ns: null, max_ns: null, total_ns: 1e8, samples: 40 },
    });
  });

  test('a share above 100 % is told to be of several threads', async () => {
    host.write(before);
    const { summary } = await rowsOf([() => host.write({ ...before, wait_ns: 1.1e9 })]);
    expect(summary.join('\n')).toContain(
      'busy (pid 7) 600 ms of 500 ms (120 %, its threads added up)',
    );
  });

  test('switches and migrations are rates over the detail window', async () => {
    const counts = { ...before, voluntary: 10, involuntary: 5, migrations: 40 };
    host.write(counts);
    const { rows } = await rowsOf([
      () => undefined,
      () => host.write({ ...counts, voluntary: 30, involuntary: 15, migrations: 44 }),
    ]);
    expect(rows[0]).toMatchObject({
      nr_switches: 30,
      switches_per_s: 150,
      voluntary_per_s: 100,
      involuntary_per_s: 50,
      nr_migrations_total: 44,
      migrations_per_s: 20,
    });
  });

  test('waits of all threads add up, those of one that began in the window included', async () => {
    const worker = { tid: 8, wait_ns: 1e8, timeslices: 10, run_ns: 1e6 };
    host.write({ ...before, others: [worker] });
    const { rows } = await rowsOf([
      () =>
        host.write({
          ...before,
          others: [
            { ...worker, wait_ns: 1.5e8 },
            { tid: 9, wait_ns: 3e7, timeslices: 2, run_ns: 1e6 },
          ],
        }),
    ]);
    expect(rows[0]).toMatchObject({ threads: 3, run_queue_wait_ms: 80 });
  });

  test('time of threads that ended in the window is not lost', async () => {
    host.write({ ...before, utime_ticks: 100, others: [{ tid: 8, run_ns: 1e9 }] });
    const { rows } = await rowsOf([() => host.write({ ...before, utime_ticks: 140 })]);
    expect(rows[0]?.runtime_ms).toBe(400);
  });

  test('a process that took over a pid has only its own time', async () => {
    host.write({ ...before, utime_ticks: 5000, starttime_ticks: 1 });
    const { rows, data } = await rowsOf([
      () => host.write({ pid: 7, starttime_ticks: 900, run_ns: 3e7, utime_ticks: 3 }),
    ]);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ runtime_ms: 30, cpu_pct: 6, started_in_window: true });
    expect(data.totals).toMatchObject({ started_in_window: 1, ended_in_window: 1 });
  });

  test('details of a process that took over the pid later are not shown as its own', async () => {
    host.write({ ...before, starttime_ticks: 1 });
    const { rows, warnings } = await rowsOf([
      () => undefined,
      () => host.write({ pid: 7, comm: 'thief', starttime_ticks: 900, migrations: 3 }),
    ]);
    expect(rows[0]).toMatchObject({ comm: 'busy', nr_migrations: null, policy: null, ended: true });
    expect(warnings?.join()).toContain('ended before');
  });
});

describe('who is listed', () => {
  test('processes that end between the scans or while they are read are counted, not shown', async () => {
    host.write({ pid: 7 });
    host.write({ pid: 8 });
    host.write({ pid: 9 });
    const { rows, data } = await rowsOf([
      () => {
        host.remove(8);
        unlinkSync(host.path('9/stat'));
      },
    ]);
    expect(rows.map(({ pid }) => pid)).toEqual([7]);
    expect(data.totals).toMatchObject({ ended_in_window: 2, vanished_while_read: 1 });
  });

  test('a name of parentheses and newlines is shown harmless and found by its beginning', async () => {
    const comm = 'a) R 1\n) (0 x:1';
    host.write({ pid: 7, comm, utime_ticks: 10 });
    host.write({ pid: 8, comm: 'other' });
    const { rows, data } = await rowsOf([() => host.write({ pid: 7, comm, utime_ticks: 35 })], {
      comm: 'a) R',
    });
    expect(rows).toMatchObject([{ pid: 7, comm: 'a) R 1 ) (0 x:1', state: 'S', cpu_pct: 50 }]);
    expect(data).toMatchObject({ total_processes: 2, matching: 1 });
  });

  const isRoot = process.geteuid?.() === 0;

  test.skipIf(isRoot && !mayBecomeNobody)(
    'files closed to this user cost their fields only, a closed stat file the process (needs seteuid)',
    async () => {
      host.write({ pid: 7, comm: 'half' });
      host.write({ pid: 8, comm: 'shut' });
      chmodSync(host.path('8/stat'), 0);
      for (const file of ['7/cmdline', '7/task/7/sched', '7/cgroup']) chmodSync(host.path(file), 0);
      if (isRoot) becomeNobody();
      try {
        const { rows, data, unavailable } = await rowsOf([]);
        expect(rows).toMatchObject([
          { pid: 7, cgroup: null, vruntime_ms: null, switches_per_s: 0 },
        ]);
        expect(data.totals['unreadable']).toBe(1);
        const missing = unavailable?.map(({ what }) => what).join();
        expect(missing).toContain('1 processes');
        expect(missing).toContain('nr_migrations');
      } finally {
        if (isRoot) becomeRoot();
      }
    },
  );

  test('a listing that hidepid thins out is not taken for the whole host', async () => {
    host.write({ pid: 7 });
    writeFileSync(host.path('mounts'), 'proc /proc proc rw,relatime,hidepid=invisible 0 0\n');
    const asUser = { ...context([]), uid: 1000 };
    const { unavailable } = await collectProcesses(asUser, first20, call);
    expect(unavailable?.map(({ what }) => what)).toContain('processes of other users');
    const asRoot = await collectProcesses({ ...asUser, uid: 0 }, first20, call);
    expect(asRoot.unavailable?.map(({ what }) => what)).not.toContain('processes of other users');
  });

  test('kernel threads and this server itself are marked', async () => {
    host.write({ pid: 2, comm: 'kthreadd', flags: 0x20_8040 });
    host.write({ pid: 7 });
    host.setSelf(7);
    const { rows } = await rowsOf([], { sort: 'pid' });
    expect(rows).toMatchObject([
      { pid: 2, kernel_thread: true, cmdline: null },
      { pid: 7, kernel_thread: false, self: true },
    ]);
    expect(rows[0]).not.toHaveProperty('self');
  });
});

describe('the order', () => {
  const counts = { run_ns: 1e6, timeslices: 5 };

  test.each([
    ['wait', [9, 8, 7]],
    ['rss', [8, 7, 9]],
    ['migrations', [7, 9, 8]],
    ['switches', [8, 9, 7]],
    ['pid', [7, 8, 9]],
  ] as const)('by %s', async (sort, order) => {
    host.write({ pid: 7, ...counts, rss_pages: 20 });
    host.write({ pid: 8, ...counts, rss_pages: 30 });
    host.write({ pid: 9, ...counts, rss_pages: 10 });
    const ran = { ...counts, run_ns: 2e6 };
    const change = (): void => {
      host.write({ pid: 7, ...ran, rss_pages: 20, wait_ns: 1e6, migrations: 9 });
      host.write({ pid: 8, ...ran, rss_pages: 30, wait_ns: 2e6, voluntary: 9 });
      host.write({ pid: 9, ...ran, rss_pages: 10, wait_ns: 3e6, voluntary: 1, migrations: 1 });
    };
    const atScan = sort === 'wait' || sort === 'rss' || sort === 'pid';
    const ranOnly = (): void => {
      for (const pid of [7, 8, 9]) host.write({ pid, ...ran });
    };
    const { rows } = await rowsOf(atScan ? [change] : [ranOnly, change], { sort });
    expect(rows.map(({ pid }) => pid)).toEqual(order);
  });

  test('pages follow each other without gap', async () => {
    for (let pid = 1; pid <= 300; pid++) host.write({ pid });
    const seen: number[] = [];
    let next: string | undefined = 'stats://aggregated/process?sort=pid&limit=200&offset=0';
    while (next !== undefined) {
      const asked: URLSearchParams = new URL(next).searchParams;
      const { rows, ...reading } = await rowsOf([], {
        sort: 'pid',
        limit: Number(asked.get('limit')),
        offset: Number(asked.get('offset')),
      });
      seen.push(...rows.map(({ pid }) => pid));
      next = reading.next;
    }
    expect(seen).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
  });

  test('an answer stays below 10,000 tokens whatever the processes call themselves', async () => {
    const cmdline = ['"'.repeat(4000)];
    for (let pid = 1; pid <= 200; pid++)
      host.write({ pid, cmdline, cgroup: `/${'"'.repeat(3000)}` });
    const ctx = context([]);
    const reading = await collectProcesses(ctx, { ...first20, limit: 200 }, call);
    expect(JSON.stringify(resourceDocument(reading, ctx)).length).toBeLessThan(40_000);
    expect(reading.truncated).toBe(true);
  });
});

describe('hosts of many threads', () => {
  const many = { pid: 1, num_threads: 20_000 };

  test('wait is measured over the detail window for the rows shown, and said so', async () => {
    const waiting = { pid: 7, run_ns: 1e6, state: 'R' };
    host.write(many);
    host.write(waiting);
    const { rows, warnings } = await rowsOf([
      () => host.write({ ...waiting, run_ns: 2e6, utime_ticks: 1 }),
      () => host.write({ ...waiting, run_ns: 3e6, utime_ticks: 1, wait_ns: 1e8, timeslices: 4 }),
    ]);
    expect(rows[0]).toMatchObject({ pid: 7, run_queue_wait_ms: 100, run_queue_wait_pct: 50 });
    expect(warnings?.join()).toContain('more than 20000 threads');
  });

  test('the longest wait is looked for among the runnable', async () => {
    host.write(many);
    host.write({ pid: 7, state: 'R' });
    host.write({ pid: 8, utime_ticks: 1 });
    const { rows, data } = await rowsOf(
      [
        () => host.write({ pid: 8, utime_ticks: 20 }),
        () => host.write({ pid: 7, state: 'R', wait_ns: 2e8, timeslices: 1, run_ns: 1 }),
      ],
      { sort: 'wait', limit: 1 },
    );
    expect(rows).toMatchObject([{ pid: 7, run_queue_wait_pct: 100 }]);
    expect(data.sorted_by).toContain('2 processes');
  });

  test('a pool beyond the cap is counted in part, and the row says of how many', async () => {
    const others = Array.from({ length: 600 }, (_, index) => ({ tid: 100 + index, voluntary: 1 }));
    host.write({ pid: 7, others });
    const { rows } = await rowsOf([
      () => undefined,
      () => host.write({ pid: 7, others: others.map((each) => ({ ...each, voluntary: 2 })) }),
    ]);
    expect(rows[0]).toMatchObject({ threads: 601, threads_sampled: 512, nr_switches: 511 });
  });
});

describe('kernels that tell less', () => {
  test('an account that is switched off is no wait of nought', async () => {
    host.write({ pid: 7, utime_ticks: 10 });
    host.setSelf(7);
    writeFileSync(host.path('7/schedstat'), '0 0 0\n');
    const { rows, unavailable } = await rowsOf([() => host.write({ pid: 7, utime_ticks: 20 })]);
    expect(rows[0]).toMatchObject({ cpu_pct: 20, run_queue_wait_ms: null, latency: null });
    expect(unavailable?.map(({ what }) => what)).toContain(
      'run_queue_wait_ms, run_queue_wait_pct, latency',
    );
  });

  test('without sched files the switches come from status', async () => {
    const dumb = (voluntary: number): void => {
      host.write({ pid: 7, voluntary });
      unlinkSync(host.path('7/task/7/sched'));
    };
    dumb(10);
    const { rows } = await rowsOf([() => undefined, () => dumb(12)]);
    expect(rows[0]).toMatchObject({ voluntary_per_s: 10, nr_migrations: null });
  });
});

describe('a server that stays', () => {
  const later = (ctx: Context, ms: number) => ctx.sleep(ms);

  test('answers for the time since its last read without waiting, up to a minute', async () => {
    host.write({ pid: 7, utime_ticks: 0 });
    const ctx = context([], true);
    await collectProcesses(ctx, first20, call);
    await later(ctx, 9800);
    host.write({ pid: 7, utime_ticks: 500 });
    const since = await collectProcesses(ctx, first20, call);
    expect(since).toMatchObject({ window_ms: 10_000, data: { processes: [{ cpu_pct: 50 }] } });
    expect((await collectProcesses(ctx, first20, call)).window_ms).toBe(500);
    await later(ctx, 61_000);
    expect((await collectProcesses(ctx, first20, call)).window_ms).toBe(500);
  });

  test('a window that is asked for is waited for', async () => {
    host.write({ pid: 7 });
    const ctx = context([], true);
    await collectProcesses(ctx, first20, call);
    await later(ctx, 5000);
    const asked = await collectProcesses(ctx, { ...first20, window_ms: 100 }, call);
    expect(asked.window_ms).toBe(100);
  });

  test('a canceled call ends a pass over many processes', async () => {
    for (let pid = 1; pid <= 1001; pid++) host.writeStat({ pid });
    const signal = AbortSignal.abort();
    const read = collectProcesses(context([]), first20, { ...call, signal });
    await expect(read).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
  });
});
