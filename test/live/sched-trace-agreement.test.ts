import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { parseSchedAggregates } from '../../parsers/sched-aggregates/sched-aggregates.ts';
import { collectAggregatedLlc } from '../../src/collectors/aggregated-llc.ts';
import { collectTracedProcess } from '../../src/collectors/process-traces.ts';
import { startSchedTracer } from '../../src/collectors/sched-trace-tracer.ts';
import { createContext } from '../../src/context.ts';
import { call } from '../stepped-context.ts';
import { withTracefs } from './with-tracefs.ts';

const run = promisify(execFile);
const has = (program: string): boolean => existsSync(`/usr/bin/${program}`);
const mayTrace = process.getuid?.() === 0 && has('bpftrace');
const page = { limit: 20, offset: 0, sort: 'cpu' } as const;

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    const ended = once(child, 'close');
    if (child.exitCode !== null || child.signalCode !== null) continue;
    process.kill(-child.pid!, 'SIGKILL');
    await ended;
  }
});

async function background(program: string, ...args: readonly string[]): Promise<number> {
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  children.push(child);
  await once(child, 'spawn');
  await delay(300);
  return child.pid!;
}

type Buckets = readonly Readonly<{ min: number; max: number; count: number }>[];

/** Written for this test alone: one clock per thread, all CPUs together, in other units. */
const independent = (seconds: number): string => `
  BEGIN { printf("begin\\n"); }
  tracepoint:sched:sched_wakeup { @begin[args->pid] = nsecs; }
  tracepoint:sched:sched_wakeup_new { @begin[args->pid] = nsecs; }
  tracepoint:sched:sched_switch /@begin[args->next_pid] != 0/ {
    @wait = hist(nsecs - @begin[args->next_pid]);
    @waits = count();
    delete(@begin[args->next_pid]);
  }
  tracepoint:sched:sched_migrate_task { @moved = count(); }
  interval:s:${seconds} { exit(); }
  END { clear(@begin); }`;

async function startIndependent(seconds: number) {
  const program = withTracefs('bpftrace', '-f', 'json', '-B', 'line', '-e', independent(seconds));
  const child = spawn(...program, { detached: true });
  children.push(child);
  const ended = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  while (!output.includes('begin')) await delay(10);
  return async () => {
    await ended;
    const value = (name: string): unknown =>
      output
        .split('\n')
        .filter((line) => line.includes(`"${name}":`))
        .map((line) => Object.values<unknown>(JSON.parse(line).data)[0])
        .at(-1);
    return {
      waits: Number(value('@waits')),
      moved: Number(value('@moved') ?? 0),
      buckets: value('@wait') as Buckets,
    };
  };
}

/** The power of two at which the range begins where a share of the waits is reached. */
function powerAt(buckets: Buckets, share: number): number {
  let left = share * buckets.reduce((sum, { count }) => sum + count, 0);
  const reached = buckets.find(({ count }) => {
    left -= count;
    return left <= 0;
  });
  return power(reached?.min ?? 0);
}

const power = (ns: number): number => Math.floor(Math.log2(ns));

describe.skipIf(!mayTrace || !has('stress-ng'))(
  'beside an independent bpftrace (needs root, bpftrace and stress-ng)',
  () => {
    test('waits after wakeups and migrations of all CPUs', async () => {
      const ctx = createContext({ daemon: true, readOnly: false });
      const query = { ...page, sort: 'cpu' as const, limit: 512 };
      await background('stress-ng', '--quiet', '--cpu', '2', '--switch', '2', '--timer', '1');
      // Attached once, so that both begin at the same time.
      await collectAggregatedLlc(ctx, { ...query, trace_ms: 100 }, call);
      const finish = await startIndependent(4);
      const { data, lost_events } = await collectAggregatedLlc(
        ctx,
        { ...query, trace_ms: 4000 },
        call,
      );
      const theirs = await finish();
      expect(lost_events).toBe(0);
      const [ours] = data.llcs;
      if (data.llcs.length > 1 || !ours?.wakeup_latency) throw new Error('more than one cache');
      const { count, p50_ns, p99_ns } = ours.wakeup_latency;
      const per_s = (count * 1000) / (data.trace_window_ms ?? Number.NaN);
      expect(per_s / (theirs.waits / 4)).toBeGreaterThan(0.95);
      expect(per_s / (theirs.waits / 4)).toBeLessThan(1.05);
      // The same range, but for a percentile that lies at the border of two.
      for (const [ns, share, border] of [
        [p50_ns, 0.5, 0.03],
        [p99_ns, 0.99, 0.003],
      ] as const) {
        expect(power(ns ?? 0)).toBeGreaterThanOrEqual(powerAt(theirs.buckets, share - border));
        expect(power(ns ?? 0)).toBeLessThanOrEqual(powerAt(theirs.buckets, share + border));
      }
      expect(ours.run_queue_latency?.count).toBeGreaterThan(count);
      const moves = ours.migrations?.in ?? Number.NaN;
      expect(Math.abs(moves - theirs.moved)).toBeLessThanOrEqual(3 + 0.15 * theirs.moved);
    });

    test('softirqs are counted as /proc/softirqs counts them', async () => {
      const ctx = createContext({ daemon: false, readOnly: false });
      await background('stress-ng', '--quiet', '--timer', '1', '--timer-freq', '900', '--cpu', '1');
      const tracer = await startSchedTracer(ctx, { script: 'sched-aggregates' }, call);
      try {
        const before = softirqs();
        const { text, window_ms } = await tracer.window(3000, call);
        const after = softirqs();
        expect(window_ms).toBeLessThan(3200);
        const { softirqs: ours } = parseSchedAggregates(text);
        for (const vector of [timer, rcu]) {
          const kernel = (after.get(vector) ?? 0) - (before.get(vector) ?? 0);
          const mine = ours.filter((each) => each.vector === vector);
          const count = mine.reduce((sum, each) => sum + each.count, 0);
          expect(count).toBeLessThanOrEqual(kernel);
          expect(count).toBeGreaterThan(0.95 * kernel - 5);
          const time_ns = mine.reduce((sum, each) => sum + each.time_ns, 0);
          expect(time_ns).toBeGreaterThan(100 * count);
          expect(time_ns).toBeLessThan(0.5 * 3e9 * availableParallelism());
        }
      } finally {
        await tracer.stop();
      }
    });
  },
);

const timer = 1;
const rcu = 9;

/** By number: the lines of the file are in that order. */
function softirqs(): ReadonlyMap<number, number> {
  const [, ...lines] = readFileSync('/proc/softirqs', 'utf8').trim().split('\n');
  return new Map(
    lines.map((line, vector) => {
      const counts = line.trim().split(/\s+/u).slice(1).map(Number);
      return [vector, counts.reduce((sum, each) => sum + each, 0)];
    }),
  );
}

describe.skipIf(!mayTrace || !has('perl') || !has('taskset'))(
  'of one process (needs root, bpftrace, perl and taskset)',
  () => {
    const sleeper = ['perl', '-e', 'select(undef, undef, undef, 0.001) while 1'];

    test.skipIf(availableParallelism() < 2)(
      'migrations of a program that is moved a known number of times (needs two CPUs)',
      async () => {
        const ctx = createContext({ daemon: true, readOnly: false });
        const pid = await background('taskset', '-c', '0', ...sleeper);
        const query = { ...page, pid };
        await collectTracedProcess(ctx, { ...query, trace_ms: 100 }, call);
        const reading = collectTracedProcess(ctx, { ...query, trace_ms: 4000 }, call);
        await delay(300);
        let moves = 0;
        for (; moves < 20; moves++) {
          await run('taskset', ['-cp', `${(moves + 1) % 2}`, `${pid}`]);
          await delay(50);
        }
        const { data } = await reading;
        expect(data.processes[0]).toMatchObject({ migrations: { count: moves } });
      },
    );

    test('waits are as many and as long as the kernel accounts for', async () => {
      const ctx = createContext({ daemon: true, readOnly: false });
      const pids: number[] = [];
      for (let loops = 0; loops < 2; loops++) {
        pids.push(await background('taskset', '-c', '0', 'sh', '-c', 'while :; do :; done'));
      }
      const [pid = 0] = pids;
      const query = { ...page, pid };
      await collectTracedProcess(ctx, { ...query, trace_ms: 100 }, call);
      const { data } = await collectTracedProcess(ctx, { ...query, trace_ms: 3000 }, call);
      const [row] = data.processes;
      const traced = row.run_queue_latency!;
      const kernel = row.latency!;
      expect(Math.abs(traced.count - kernel.samples)).toBeLessThan(3 + 0.05 * kernel.samples);
      expect(traced.avg_ns! / kernel.avg_ns!).toBeCloseTo(1, 1);
      expect(traced.max_ns).toBeGreaterThan(traced.avg_ns!);
      expect(traced.histogram?.at(-1)?.max_ns).toBeGreaterThanOrEqual(traced.max_ns!);
    });

    test('its waker is the process that wakes it', async () => {
      const ctx = createContext({ daemon: false, readOnly: false });
      await background(
        'sh',
        '-c',
        'while sleep 0.01; do echo; done | sh -c "while read x; do :; done"',
      );
      const { stdout } = await run('pgrep', ['-g', String(children[0]?.pid), '-f', 'while read']);
      const reader = Number(stdout.trim().split('\n').at(-1));
      const { data } = await collectTracedProcess(
        ctx,
        { ...page, pid: reader, trace_ms: 1500 },
        call,
      );
      const [row] = data.processes;
      const [waker] = row.wakers!;
      expect(waker?.comm).toBe('sh');
      expect(waker?.wakeups).toBeGreaterThan(20);
    });
  },
);
