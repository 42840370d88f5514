import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { StreamEvent } from '../../parsers/stream/stream.ts';
import { begin, spin, track } from './tracked-events.ts';

const root = process.geteuid?.() === 0;
const bpftrace = existsSync('/usr/bin/bpftrace') || existsSync('/usr/local/bin/bpftrace');
const cpus = availableParallelism();
const run = promisify(execFile);
const why = 'needs root and bpftrace';

/** Two tasks that wake each other. */
const pingPong = () => run('perf', ['bench', 'sched', 'pipe', '-l', '2000']);

const busy = ['sched_switch', 'sched_wakeup', 'exec', 'exit', 'fork'] as const;

describe.skipIf(!root || !bpftrace)(
  `filters work in the kernel (${why})`,
  { timeout: 60_000 },
  () => {
    test('by thread and by process: only events about it pass', async () => {
      const sleeper = begin('sh', '-c', 'while :; do sleep 0.05; done');
      try {
        const about =
          (id: number, ...names: readonly string[]) =>
          (event: StreamEvent) =>
            names.some((name) => event[name] === id);
        const byThread = await track(busy, () => pause(400), { pid: sleeper.pid });
        expect(byThread.events.length).toBeGreaterThan(5);
        const ids = ['pid', 'prev_pid', 'next_pid', 'parent_pid', 'child_pid'];
        expect(byThread.events.filter((each) => !about(sleeper.pid, ...ids)(each))).toEqual([]);
        const byProcess = await track(busy, () => pause(400), { tgid: sleeper.pid });
        expect(byProcess.events.length).toBeGreaterThan(5);
        const groups = ['tgid', 'prev_tgid', 'next_tgid', 'parent_tgid', 'child_tgid'];
        expect(byProcess.events.filter((each) => !about(sleeper.pid, ...groups)(each))).toEqual([]);
      } finally {
        await sleeper.stop();
      }
    });

    test('by the beginning of a name', async () => {
      const tracked = await track(busy, pingPong, { comm: 'sched-p' });
      expect(tracked.events.length).toBeGreaterThan(1000);
      for (const { comm, prev_comm, next_comm, parent_comm } of tracked.events) {
        const names = [comm, prev_comm, next_comm, parent_comm].map(String);
        expect(names.some((name) => name.startsWith('sched-p'))).toBe(true);
      }
    });

    test.skipIf(cpus < 2)('by CPU (needs two CPUs)', async () => {
      const tracked = await track(busy, pingPong, { cpu: 1 });
      expect(tracked.events.length).toBeGreaterThan(0);
      expect(new Set(tracked.events.map(({ cpu }) => cpu))).toEqual(new Set([1]));
    });

    test('by how long a task waited for its CPU', async () => {
      const tracked = await track(['sched_switch', 'exec'], pingPong, { min_latency_us: 50 });
      const switches = tracked.events.filter(({ type }) => type === 'sched_switch');
      for (const { next_wakeup_lat_us } of switches) {
        expect(Number(next_wakeup_lat_us)).toBeGreaterThanOrEqual(50);
      }
      expect(tracked.events.some(({ type }) => type === 'exec')).toBe(true);
    });

    test('one task in four is kept from its birth to its end', async () => {
      const tracked = await track(
        busy,
        async () => {
          // Three tasks a round, so that the ids of those that sleep leave every rest by four.
          const three = 'sleep 0.01 & sleep 0.01 & wait';
          for (let count = 0; count < 24; count++) await run('sh', ['-c', three]);
        },
        { sample: 4 },
      );
      for (const { pid, prev_pid, next_pid, child_pid, parent_pid } of tracked.events) {
        const ids = [pid, prev_pid, next_pid, child_pid, parent_pid].filter(
          (id) => id !== undefined,
        );
        expect(ids.some((id) => id !== 0 && Number(id) % 4 === 0)).toBe(true);
      }
      const exits = tracked.events.filter(
        (each) => each.type === 'exit' && Number(each['pid']) % 4 === 0 && each['comm'] === 'sleep',
      );
      expect(exits.length).toBeGreaterThan(0);
      for (const { pid } of exits) {
        const of = (type: string, name: string) =>
          tracked.events.some((each) => each.type === type && each[name] === pid);
        expect(of('fork', 'child_pid') && of('exec', 'pid') && of('sched_switch', 'next_pid')).toBe(
          true,
        );
      }
    });
  },
);

describe.skipIf(!root || !bpftrace || cpus < 2)(
  `alerts (${why}, and two CPUs)`,
  { timeout: 60_000 },
  () => {
    test('15 tasks in a row that wait for a CPU longer than 1 ms', async () => {
      const tracked = await track(['alert'], async () => {
        const sleepers = Array.from({ length: 25 }, () =>
          begin('taskset', '-c', '1', 'sleep', '0.6'),
        );
        await pause(300);
        // Nothing else gets the CPU but for 50 ms each second.
        const hog = begin(
          'chrt',
          '-f',
          '50',
          'taskset',
          '-c',
          '1',
          'sh',
          '-c',
          'while :; do :; done',
        );
        await pause(2000);
        await hog.stop();
        await Promise.all(sleepers.map((each) => each.ended));
      });
      const [first] = tracked.events.filter(({ rule }) => rule === 'wakeup_latency');
      expect(first).toMatchObject({ type: 'alert', cpu: 1, count: 15, threshold_us: 1000 });
      expect(Number(first?.['max_latency_us'])).toBeGreaterThan(1000);
      expect(Number(first?.['since_ts'])).toBeLessThan(Number(first?.ts));
      expect(first?.['message']).toMatch(/^15 tasks in a row waited longer than 1000 us for CPU 1/);
    });

    test('more than 8 moves of a process between CPUs within 7 s', async () => {
      let pid = 0;
      const tracked = await track(['alert'], async () => {
        const moved = spin(0);
        pid = moved.pid;
        for (let round = 1; round <= 12; round++) {
          await run('taskset', ['-pc', String(round % 2), String(pid)]);
          await pause(20);
        }
        await moved.stop();
      });
      const [found] = tracked.events.filter((each) => each['tgid'] === pid);
      expect(found).toMatchObject({
        rule: 'migrations',
        count: 9,
        window_ms: 7000,
        comm: 'sh',
        pid,
      });
      expect(Number(found?.['span_ms'])).toBeLessThan(7000);
    });

    test('a process that stays where it is makes none', async () => {
      let pid = 0;
      const tracked = await track(['alert'], async () => {
        const still = spin(0);
        pid = still.pid;
        await pause(500);
        await still.stop();
      });
      expect(tracked.events.filter((each) => each['tgid'] === pid)).toEqual([]);
    });
  },
);
