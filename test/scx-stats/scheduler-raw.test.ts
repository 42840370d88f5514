import { afterEach, describe, expect, test } from 'vitest';
import type { SchedulerStats } from '../../src/collectors/scx-stats-report.ts';
import type { Context } from '../../src/context.ts';
import type { Unavailable } from '../../src/reading.ts';
import { readResource } from '../../src/resources/read.ts';
import { ended } from '../ended.ts';
import { call, fakeHost, scriptedContext } from '../fake-host.ts';
import { fakePrograms } from '../fake-programs.ts';
import { type Behavior, type FakeScheduler, fakeScheduler } from './fake-server.ts';

type Answer = SchedulerStats &
  Readonly<{
    summary: readonly string[];
    warnings: readonly string[];
    unavailable?: readonly Unavailable[];
    window_ms?: number;
    truncated?: boolean;
    total?: number;
    next?: string;
  }>;

const uri = 'stats://scheduler/raw';
const running: FakeScheduler[] = [];
afterEach(async () => {
  for (const scheduler of running.splice(0)) await scheduler.stop();
});

const socket_path = 'var/run/scx/root/stats';

async function serve(root: string, behavior: Behavior = {}): Promise<FakeScheduler> {
  const scheduler = await fakeScheduler(`${root}/${socket_path}`, behavior);
  running.push(scheduler);
  return scheduler;
}

/** A host with a loaded scheduler of this name, or with none (null). */
function host(ops: string | null): string {
  return fakeHost({
    'sys/kernel/sched_ext/state': ops === null ? 'disabled\n' : 'enabled\n',
    'sys/kernel/sched_ext/root/ops': ops === null ? null : `${ops}\n`,
  });
}

/** A context whose scheduler counts one a millisecond, in the time of the context. */
function context(root: string, scheduler?: FakeScheduler, daemon = true): Context {
  const scripted = scriptedContext(root);
  return {
    ...scripted,
    settings: { daemon, readOnly: false },
    async sleep(ms) {
      await scripted.sleep(ms);
      scheduler?.count(ms);
    },
  };
}

async function read(ctx: Context, query = ''): Promise<Answer> {
  return (await readResource(`${uri}${query}`, ctx, call)) as Answer;
}

const bpfland = 'bpfland_1.1.4_g1a2b3c4_x86_64_unknown_linux_gnu';

describe('stats://scheduler/raw', () => {
  test('the first answer is a baseline; the second one is shown with its window', async () => {
    const root = host(bpfland);
    const scheduler = await serve(root);
    scheduler.count(1_000_000);
    const answer = await read(context(root, scheduler));
    expect(answer).toMatchObject({
      stats: { nr_enqueued: 1000, nr_running: 3, dsq_id: '9223372036854775810' },
      stats_meta: null,
      kind: 'delta',
      scheduler: bpfland,
      target: 'top',
      window_ms: 1000,
      exact_integers: ['dsq_id', 'layers.batch.cpus.*'],
    });
    expect(scheduler.requests).toHaveLength(2);
    expect(answer.summary[0]).toContain('over 1.0 s: nr_running 3, nr_enqueued 1000');
    expect(answer.summary[1]).toBe(
      '2 layers; the busiest: batch 150.25 % of a CPU with 12 tasks, web.slice 20.5 % of a CPU with 1 task.',
    );
  });

  test('a daemon keeps one connection and answers the time since the last read', async () => {
    const root = host(bpfland);
    const scheduler = await serve(root);
    const ctx = context(root, scheduler);
    await read(ctx);
    await ctx.sleep(5000);
    expect(await read(ctx)).toMatchObject({ stats: { nr_enqueued: 5000 }, window_ms: 5000 });
    expect(await read(ctx, '?window_ms=300')).toMatchObject({
      stats: { nr_enqueued: 300 },
      window_ms: 300,
    });
    expect(scheduler.connections()).toEqual({ open: 1, ever: 1 });
  });

  test('two reads at once are answered in turn, each with its own window', async () => {
    const root = host(bpfland);
    const scheduler = await serve(root);
    const ctx = context(root, scheduler);
    const answers = await Promise.all([read(ctx), read(ctx, '?window_ms=200')]);
    expect(answers.map((each) => each.window_ms)).toEqual([1000, 200]);
    expect(answers.map(({ stats }) => stats)).toMatchObject([
      { nr_enqueued: 1000 },
      { nr_enqueued: 200 },
    ]);
  });

  test('another client does not change what is counted', async () => {
    const root = host(bpfland);
    const scheduler = await serve(root);
    const [one, other] = [context(root, scheduler), context(root, scheduler)];
    await read(one);
    await read(other);
    await one.sleep(500);
    expect(await read(one, '?window_ms=1000')).toMatchObject({ stats: { nr_enqueued: 1000 } });
    expect(scheduler.connections().ever).toBe(2);
  });

  test('without a daemon the connection is closed after the read', async () => {
    const root = host(bpfland);
    const scheduler = await serve(root);
    await read(context(root, scheduler, false));
    await expect.poll(scheduler.connections).toEqual({ open: 0, ever: 1 });
  });

  test('a restarted scheduler is connected to again, with a new baseline', async () => {
    const root = host(bpfland);
    const first = await serve(root);
    const ctx = context(root, first);
    await read(ctx);
    await running.splice(0)[0]?.stop();
    const second = await serve(root);
    second.count(77_777);
    expect(await read(ctx)).toMatchObject({ stats: { nr_enqueued: 0 }, window_ms: 1000 });
    expect(second.connections().ever).toBe(1);
  });

  test('a scheduler that replaces another one during the window is named, with the end of that', async () => {
    const root = host(bpfland);
    const first = await serve(root);
    const ctx = context(root, first);
    const stdout = `[ 9.1] sched_ext: BPF scheduler "${bpfland}" disabled (runnable task stall)`;
    const replaced: Context = {
      ...ctx,
      run: () => Promise.resolve({ ...ended, stdout }),
      async sleep(ms, signal) {
        if (running[0] === first) {
          await running.splice(0)[0]?.stop();
          const files = { 'sys/kernel/sched_ext/root/ops': 'rusty_1.0\n' };
          fakeHost({ ...files, 'sys/kernel/sched_ext/enable_seq': '2\n' }, root);
          await serve(root);
        }
        await ctx.sleep(ms, signal);
      },
    };
    expect(await read(replaced)).toMatchObject({
      scheduler: 'rusty_1.0',
      stats: { nr_enqueued: 0 },
      warnings: ['bpfland ended meanwhile (runnable task stall); rusty_1.0 runs now.'],
    });
  });

  test('a scheduler that ends during the window is the reason why nothing was measured', async () => {
    const root = host(bpfland);
    const scheduler = await serve(root);
    const ctx = context(root, scheduler);
    const gone: Context = {
      ...ctx,
      ...fakePrograms(() => ''),
      async sleep(ms, signal) {
        await running.splice(0)[0]?.stop();
        fakeHost(
          {
            'sys/kernel/sched_ext/state': 'disabled\n',
            'sys/kernel/sched_ext/root/ops': null,
          },
          root,
        );
        await ctx.sleep(ms, signal);
      },
    };
    const { stats, scheduler: name, warnings, unavailable } = await read(gone);
    expect({ stats, name }).toEqual({ stats: null, name: null });
    expect(warnings).toEqual(['bpfland ended meanwhile (the kernel log does not say why).']);
    expect(unavailable?.[0]?.reason).toMatch(/No sched_ext scheduler is loaded: nobody listens/);
  });

  test('an answer that breaks off is asked for again on a new connection, once', async () => {
    const root = host(bpfland);
    const scheduler = await serve(root);
    const ctx = context(root, scheduler);
    await read(ctx);
    await ctx.sleep(5000);
    scheduler.tear(1);
    expect(await read(ctx)).toMatchObject({ stats: { nr_enqueued: 1000 }, window_ms: 1000 });
    expect(scheduler.connections()).toEqual({ open: 1, ever: 2 });
    scheduler.tear(100);
    const answer = await read(ctx);
    expect(answer.stats).toBeNull();
    expect(answer.unavailable?.[0]?.reason).toMatch(/closed .* before it had answered, twice/);
    expect(scheduler.connections().ever).toBe(3);
  });

  test('a mitosis answer is absolute and is not measured twice', async () => {
    const root = host('mitosis');
    const scheduler = await serve(root);
    scheduler.count(123_456);
    const answer = await read(context(root, scheduler), '?target=gauges');
    expect(answer).toMatchObject({ kind: 'absolute', stats: { nr_enqueued: 123_456 } });
    expect(answer).not.toHaveProperty('window_ms');
    expect(scheduler.requests).toHaveLength(1);
  });
});

describe('scx_lavd, which serves one sampler', () => {
  test('a daemon connects for each read, closes and says what it cut off', async () => {
    const root = host('lavd_1.1.4_x86_64_unknown_linux_gnu');
    const scheduler = await serve(root, { single_sampler: true });
    const ctx = context(root, scheduler);
    for (const ever of [1, 2]) {
      const answer = await read(ctx);
      expect(answer.stats).toMatchObject({ nr_enqueued: 1000 });
      expect(answer.warnings.join()).toContain('interrupted any running `scx_lavd --monitor`');
      await expect.poll(scheduler.connections).toEqual({ open: 0, ever });
    }
  });

  test('a sampler that takes over during the window is named as the reason', async () => {
    const root = host('lavd_1.1.4_x86_64_unknown_linux_gnu');
    const scheduler = await serve(root, { single_sampler: true });
    const other = context(root, scheduler);
    const ctx: Context = {
      ...context(root, scheduler),
      async sleep() {
        const monitor = other.connectStats();
        await monitor.request('{"req":"stats"}');
        monitor.close();
      },
    };
    const answer = await read(ctx);
    expect(answer).toMatchObject({ stats: null, kind: null });
    expect(answer.unavailable).toEqual([
      {
        what: uri,
        reason: expect.stringContaining('Another sampler took over'),
        fix: `tracewright read ${uri}`,
      },
    ]);
  });

  test('samples are asked for once, with their number, and names are made printable', async () => {
    const root = host('lavd_1.1.4_x86_64_unknown_linux_gnu');
    const scheduler = await serve(root, { single_sampler: true });
    const ctx = context(root, scheduler);
    const answer = await read(ctx, '?target=sched_samples&nr_samples=3');
    expect(answer).toMatchObject({
      kind: 'samples',
      exact_integers: ['samples.*.dsq_id'],
    });
    expect(answer.stats).toMatchObject({
      samples: [1, 2, 3].map((pid) => ({ pid, comm: 'kworker/0:1 [2J' })),
    });
    expect(scheduler.requests).toEqual([
      '{"req":"stats","args":{"target":"sched_samples","nr_samples":"3"}}',
    ]);
  });
});
