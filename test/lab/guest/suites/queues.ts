import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod/v4';
import { startIndependent } from '../lib/independent.ts';
import { spin } from '../lib/load.ts';
import { run } from '../lib/program.ts';
import { isRoot } from '../lib/route.ts';
import {
  llcDefines,
  loadScheduler,
  offers,
  startExtTask,
  unloadScheduler,
} from '../lib/scheduler.ts';
import { type Server, startServer } from '../lib/server.ts';
import { until } from '../lib/until.ts';

const Waits = z.looseObject({
  count: z.number(),
  p50_ns: z.number().optional(),
  p99_ns: z.number().optional(),
  max_ns: z.number().optional(),
  histogram: z
    .array(z.object({ min_ns: z.number(), max_ns: z.number(), count: z.number() }))
    .default([]),
});
const Queues = z.looseObject({
  dsqs: z
    .array(
      z.looseObject({
        dsq_id: z.string(),
        label: z.string(),
        inserts_per_s: z.number(),
        nr_enqueues: z.number(),
        nr_dispatches: z.number(),
        depth_max: z.number().nullable(),
        queue_wait: Waits,
        vtime: z.looseObject({ spread: z.number() }).nullable(),
        scheduler: z.string().optional(),
        window_ms: z.number().optional(),
      }),
    )
    .nullable(),
  scheduler: z.string().nullable(),
  attached: z.string().nullable(),
  changes: z.array(
    z.object({
      after_ms: z.number(),
      was: z.string().nullable(),
      now: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
  warnings: z.array(z.string()).optional(),
  window_ms: z.number().optional(),
  lost_events: z.number().optional(),
  unavailable: z.array(z.looseObject({ reason: z.string() })).optional(),
});

type Queue = NonNullable<z.infer<typeof Queues>['dsqs']>[number];

const noQueues = (await offers('scx_bpf_create_dsq'))
  ? false
  : 'the BTF of this kernel lets no scheduler create a queue';
const byName = (await run('bpftrace', '-l', 'fentry:vmlinux:dispatch_enqueue')).trim() !== '';
/**
 * Written for this test alone: inserts of queue 7, how many there were at which time of the kernel's
 * clock, and the time from there until the task runs.
 */
const independent = `
fentry:vmlinux:dispatch_enqueue /args.dsq->id == 7/ {
  @inserts = count();
  @at[args.p->pid] = nsecs;
}
tracepoint:sched:sched_switch /@at[args.next_pid]/ {
  @waits = hist(nsecs - @at[args.next_pid]);
  delete(@at, args.next_pid);
}
interval:ms:250 { printf("%llu %llu\\n", nsecs, (uint64)@inserts); }
BEGIN { printf("ready\\n"); }
END { clear(@at); }`;

const Buckets = z.array(z.object({ min: z.number(), max: z.number(), count: z.number() }));

/** How many there were at a time, between the two times for which it was told. */
function countAt(ns: number, printed: readonly string[]): number {
  const marks = printed.map((line) => line.trim().split(' ').map(Number));
  const [before_ns = 0, before = 0] = marks.findLast(([at = 0]) => at <= ns) ?? [];
  const [after_ns = 0, after = 0] = marks.find(([at = 0]) => at > ns) ?? [];
  return before + ((after - before) * (ns - before_ns)) / (after_ns - before_ns);
}

const bucketsOf = ({ histogram }: z.output<typeof Waits>): z.infer<typeof Buckets> =>
  histogram.map(({ min_ns: min, max_ns: max, count }) => ({ min, max, count }));

/** The power of two from which on the wait is that a share of them is below. */
function bucketOf(waits: z.infer<typeof Buckets>, share: number): number {
  let left = share * waits.reduce((sum, { count }) => sum + count, 0);
  const bucket = waits
    .toSorted((a, b) => a.min - b.min)
    .find(({ count }) => {
      left -= count;
      return left <= 0;
    });
  return Math.floor(Math.log2(bucket?.min ?? 0));
}

/** The two watched nearly, not wholly, the same waits: a share close to a bound may be on either side. */
function assertSameBucket(
  ours: z.infer<typeof Buckets>,
  theirs: z.infer<typeof Buckets>,
  share: number,
): void {
  const slack = (1 - share) / 10;
  const near = [share - slack, share, share + slack].map((each) => bucketOf(theirs, each));
  const own = bucketOf(ours, share);
  assert.ok(near.includes(own), `${share} of the waits: 2^${own} ns, independently 2^${near}`);
}

describe('dispatch queues', { timeout: 400_000 }, () => {
  let server: Server;
  before(async () => {
    server = await startServer('--daemon');
  });
  after(() => server.close());
  afterEach(unloadScheduler);

  const queues = (window_ms: number, more = '') =>
    server.read(`stats://aggregated/dsq?window_ms=${window_ms}${more}`, Queues);

  test('without a scheduler there are none, and the reason is given', async () => {
    const { dsqs, unavailable } = await queues(500);
    assert.equal(dsqs, null);
    assert.match(unavailable?.[0]?.reason ?? '', /No sched_ext scheduler is loaded/);
  });

  test('of fifo agree with an independent bpftrace', {
    skip: noQueues || (byName ? false : 'dispatch_enqueue cannot be traced by name here'),
  }, async () => {
    await loadScheduler('fifo');
    const tasks = 6;
    const first = await queues(500);
    assert.match(first.attached ?? '', /dispatch_enqueue/);
    // Beside the load bpftrace takes longer to attach than the server keeps its own attached.
    const { finish } = await startIndependent(independent);
    await queues(500);
    const load = spin(tasks, '0-1');
    try {
      await pause(1000);
      const rows: Queue[] = [];
      const windows: [from_ns: number, to_ns: number][] = [];
      for (let read = 0; read < 4; read++) {
        const { dsqs, lost_events, window_ms = 0 } = await queues(10_000, '&histogram=true');
        const now_ns = Number(process.hrtime.bigint());
        windows.push([now_ns - window_ms * 1e6, now_ns]);
        rows.push(...(dsqs ?? []).filter((row) => row.dsq_id === '0x7'));
        assert.equal(lost_events, 0);
      }
      // What was told a while after the last read is there, too.
      await pause(3000);
      const { maps, printed } = await finish();
      const waits = Buckets.parse(maps.get('@waits'));
      assert.equal(rows.length, windows.length);
      const inserts = rows.reduce((sum, { nr_enqueues }) => sum + nr_enqueues, 0);
      const theirs = windows.reduce(
        (sum, [from, to]) => sum + countAt(to, printed) - countAt(from, printed),
        0,
      );
      const ours = rows.flatMap(({ queue_wait }) => bucketsOf(queue_wait));
      console.log(
        `fifo: ${inserts} inserts, independently ${theirs.toFixed(1)}; p50 from 2^${bucketOf(ours, 0.5)} ns, ` +
          `p99 from 2^${bucketOf(ours, 0.99)}, independently from 2^${bucketOf(waits, 0.5)} and 2^${bucketOf(waits, 0.99)}`,
      );
      // A helper in between waits for its turn in this queue, too: prints arrive later than they were made.
      const late = isRoot ? 0.02 : 0.05;
      assert.ok(Math.abs(inserts - theirs) / theirs < late, `${inserts} against ${theirs} inserts`);
      assertSameBucket(ours, waits, 0.5);
      assertSameBucket(ours, waits, 0.99);
      for (const { queue_wait, depth_max } of rows) {
        const { p50_ns = 0, p99_ns = 0 } = queue_wait;
        assert.equal(Math.floor(Math.log2(p50_ns)), bucketOf(bucketsOf(queue_wait), 0.5));
        assert.equal(Math.floor(Math.log2(p99_ns)), bucketOf(bucketsOf(queue_wait), 0.99));
        // The load, and a few tasks of the system and of this test.
        assert.ok((depth_max ?? 0) <= tasks + 12, `depth ${depth_max}`);
      }
    } finally {
      await load.stop();
    }
  });

  test('of vtime-llc are ordered by virtual time', { skip: noQueues }, async () => {
    await loadScheduler('vtime-llc', ...(await llcDefines()));
    // Attaching on 7.3 takes 13 s of an idle guest, and beside the load more than a client waits.
    await queues(500);
    const load = spin(4, '0-1');
    try {
      const { dsqs } = await queues(2000);
      const ours = dsqs?.filter(({ dsq_id }) => /^0x6[4-9a-f]$/.test(dsq_id)) ?? [];
      assert.ok(ours.length > 0);
      for (const { vtime, nr_enqueues } of ours) {
        assert.ok(nr_enqueues > 0);
        assert.ok(vtime && vtime.spread >= 0);
      }
    } finally {
      await load.stop();
    }
  });

  test('an ejection within the window is told with its reason, and the next scheduler is read', async () => {
    await loadScheduler('failing');
    await queues(500);
    const answer = queues(5000);
    await pause(500);
    const task = startExtTask();
    try {
      const { changes, warnings, window_ms = 0 } = await answer;
      const [change] = changes;
      assert.equal(changes.length, 1);
      assert.equal(change?.was, 'lab_failing');
      assert.equal(change?.now, null);
      assert.match(change?.reason ?? '', /^runnable task stall: python3\[\d+\] failed to run for/);
      assert.ok(change && change.after_ms > 500 && change.after_ms <= 6000);
      assert.ok(window_ms <= 5500, `${window_ms} ms`);
      assert.match(warnings?.[0] ?? '', /^lab_failing ended after \d+ ms \(runnable task stall/);
    } finally {
      await task.stop();
    }
    await loadScheduler('fifo');
    const load = spin(4, '0-1');
    try {
      const { dsqs, scheduler, changes } = await queues(1000);
      assert.equal(scheduler, 'lab_fifo');
      assert.deepEqual(changes, []);
      assert.ok(dsqs?.some(({ nr_enqueues }) => nr_enqueues > 0));
    } finally {
      await load.stop();
    }
  });

  test('queues of a scheduler and of the one that replaces it are told apart', {
    skip: noQueues,
  }, async () => {
    // Beside the load and within the window there is time for nothing but to load it; nor to attach.
    const defines = await llcDefines();
    await loadScheduler('vtime-llc', ...defines);
    await unloadScheduler();
    await loadScheduler('fifo');
    await queues(500);
    const load = spin(4, '0-1');
    try {
      const answer = queues(10_000);
      await pause(1500);
      await unloadScheduler();
      await loadScheduler('vtime-llc', ...defines);
      const { dsqs, changes, unavailable, window_ms = 0 } = await answer;
      assert.deepEqual(
        changes.map(({ was, now }) => [was, now]),
        [
          ['lab_fifo', null],
          [null, 'lab_vtime_llc'],
        ],
        JSON.stringify(changes),
      );
      assert.equal(changes[0]?.reason, 'unregistered from user space');
      const owners = (wanted: RegExp) => {
        const rows = dsqs?.filter(({ dsq_id }) => wanted.test(dsq_id)) ?? [];
        for (const row of rows) assert.ok(row.nr_enqueues > 0 && (row.window_ms ?? 0) < window_ms);
        return new Set(rows.map(({ scheduler }) => scheduler));
      };
      assert.deepEqual(owners(/^0x7$/), new Set(['lab_fifo']));
      assert.deepEqual(owners(/^0x6[4-9a-f]$/), new Set(['lab_vtime_llc']));
      assert.match(unavailable?.[0]?.reason ?? '', /one scheduler and the next/);
    } finally {
      await load.stop();
    }
  });

  test('nothing stays attached half a minute after the last read', async () => {
    const tracers = () => run('sh', '-c', 'pgrep -c bpftrace || true');
    await until(
      async () => (await tracers()).trim(),
      (count) => count === '0',
      45_000,
    );
  });
});
