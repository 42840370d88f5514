import { execFile, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import type { EventType, StreamEvent } from '../../parsers/stream/stream.ts';
import { eventTypes } from '../../parsers/stream/stream.ts';
import { eventCapabilities } from '../../src/collectors/event-tracer.ts';
import { createContext } from '../../src/context.ts';
import { hasRun } from './cpu-time.ts';
import { begin, spin, type Tracked, track } from './tracked-events.ts';

const root = process.geteuid?.() === 0;
const bpftrace = existsSync('/usr/bin/bpftrace') || existsSync('/usr/local/bin/bpftrace');
const cpus = availableParallelism();
const call = { signal: new AbortController().signal, progress: () => {} };
const run = promisify(execFile);

const folder = mkdtempSync(join(tmpdir(), 'event-types-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function only(tracked: Tracked, type: EventType, about: Partial<StreamEvent> = {}) {
  return tracked.events.filter(
    (event) =>
      event.type === type && Object.entries(about).every(([name, value]) => event[name] === value),
  );
}

/** Every record is an event, and none is missing. */
function expectExact(tracked: Tracked): void {
  expect(tracked.unread).toEqual([]);
  expect(tracked.received + tracked.lost).toBe(tracked.seen);
}

test.skipIf(!root || !bpftrace)(
  'each type of event is available or says why not (needs root and bpftrace)',
  async () => {
    const ctx = createContext({ daemon: true, readOnly: false });
    const all = await eventCapabilities(ctx, call);
    expect(all.map(({ type }) => type)).toEqual([...eventTypes]);
    for (const { available, reason } of all) expect(reason === null).toBe(available);
    const lines = spawnSync('bpftrace', ['-l', 'tracepoint:hw_pressure:*']).stdout.toString();
    const pressure = all.find(({ type }) => type === 'hw_pressure');
    expect(pressure?.available).toBe(lines.includes('hw_pressure_update'));
  },
);

test('a server that attaches nothing has no type of the kernel, and says so', async () => {
  const ctx = createContext({ daemon: true, readOnly: true });
  const all = await eventCapabilities(ctx, call);
  const of = (type: EventType) => all.find((each) => each.type === type);
  expect(of('sched_switch')?.reason).toMatch(/read-only/);
  expect(of('trace_started')?.available).toBe(true);
});

describe.skipIf(!root || !bpftrace)(
  'events of the kernel (needs root and bpftrace)',
  { timeout: 60_000 },
  () => {
    test('fork, exec, wait and exit of a process tell who, what and how', async () => {
      const script = '/bin/true; (exit 7); kill -TERM $$';
      let outer = 0;
      const tracked = await track(['fork', 'exec', 'exit', 'wait'], async () => {
        // What this process starts itself is left out, as what the server does.
        const shell = begin('/bin/sh', '-c', `/bin/sh -c '${script}'; true`);
        outer = shell.pid;
        await shell.ended;
      });
      expectExact(tracked);
      const [born] = only(tracked, 'fork', { parent_pid: outer });
      const pid = Number(born?.['child_pid']);
      expect(born).toMatchObject({ parent_comm: 'sh', child_comm: 'sh', child_tgid: pid });
      expect(only(tracked, 'exec', { pid })).toMatchObject([
        { tgid: pid, old_pid: pid, comm: 'sh', filename: '/bin/sh' },
      ]);
      const children = only(tracked, 'fork', { parent_pid: pid }).map((each) => each['child_pid']);
      expect(children).toHaveLength(2);
      const [first, second] = children;
      expect(only(tracked, 'exec', { pid: Number(first) })).toMatchObject([
        { comm: 'true', filename: '/bin/true' },
      ]);
      expect(only(tracked, 'exit', { pid: Number(first) })).toMatchObject([
        { exit_code: 0, exit_signal: null, comm: 'true' },
      ]);
      expect(only(tracked, 'exit', { pid: Number(second) })).toMatchObject([
        { exit_code: 7, exit_signal: null, tgid: second },
      ]);
      expect(only(tracked, 'exit', { pid })).toMatchObject([{ exit_code: null, exit_signal: 15 }]);
      expect(only(tracked, 'wait', { pid }).length).toBeGreaterThanOrEqual(2);
    });

    test('a thread is told from a process', async () => {
      let pid = 0;
      const tracked = await track(['fork', 'exit'], async () => {
        const script = "new (require('node:worker_threads').Worker)('0', { eval: true })";
        const node = begin(process.execPath, '-e', script);
        pid = node.pid;
        await node.ended;
      });
      const threads = only(tracked, 'fork', { parent_tgid: pid, child_tgid: pid });
      expect(threads.length).toBeGreaterThan(0);
      for (const { child_pid } of threads) expect(child_pid).not.toBe(pid);
      const [last] = only(tracked, 'exit', { pid });
      expect(last).toMatchObject({ tgid: pid, exit_code: 0 });
    });

    test('a file name of more than 64 bytes is marked as cut', async () => {
      const path = join(folder, 'n'.repeat(80));
      copyFileSync('/bin/true', path);
      const tracked = await track(['exec'], () => run(path));
      const [found] = tracked.events.filter((each) => String(each['filename']).startsWith(folder));
      expect(found).toMatchObject({ filename: path.slice(0, 64), filename_truncated: true });
    });

    test('a task that sleeps is woken up and switched to on its CPU', async () => {
      const cpu = cpus - 1;
      let pid = 0;
      const types = ['sched_switch', 'sched_waking', 'sched_wakeup', 'sched_wakeup_new'] as const;
      const tracked = await track(types, async () => {
        const sleeper = begin('taskset', '-c', String(cpu), 'sleep', '0.2');
        pid = sleeper.pid;
        await sleeper.ended;
      });
      expectExact(tracked);
      expect(only(tracked, 'sched_wakeup_new', { pid })).toHaveLength(1);
      const woken = only(tracked, 'sched_wakeup', { pid, comm: 'sleep' });
      expect(woken.length).toBeGreaterThan(0);
      for (const each of woken)
        expect(each).toMatchObject({ target_cpu: cpu, tgid: pid, prio: 120 });
      expect(only(tracked, 'sched_waking', { pid, target_cpu: cpu }).length).toBeGreaterThan(0);
      const [last] = woken.slice(-1);
      const into = only(tracked, 'sched_switch', { next_pid: pid, next_comm: 'sleep', cpu });
      const after = into.find((each) => Number(each.ts) > Number(last?.ts));
      expect(after?.['next_wakeup_lat_us']).toBeCloseTo(
        (Number(after?.ts) - Number(last?.ts)) / 1000,
        -2,
      );
      const out = only(tracked, 'sched_switch', { prev_pid: pid, prev_state: 'S' });
      expect(out.length).toBeGreaterThan(0);
      for (const each of out) {
        expect(each).toMatchObject({ prev_tgid: pid, preempt: false, prev_prio: 120 });
        expect(Number(each['prev_used_slice_ns'])).toBeGreaterThan(0);
      }
      const [end] = only(tracked, 'sched_switch', { prev_pid: pid }).slice(-1);
      expect(['X', 'Z']).toContain(end?.['prev_state']);
    });

    test.skipIf(cpus < 2)(
      'a task that is moved tells from where to where (needs two CPUs)',
      { timeout: 60_000 },
      async () => {
        let pid = 0;
        const tracked = await track(['sched_migrate_task'], async () => {
          const busy = spin(1);
          pid = busy.pid;
          await pause(200);
          await run('taskset', ['-pc', '0', String(pid)]);
          await pause(200);
          await busy.stop();
        });
        const moved = only(tracked, 'sched_migrate_task', { pid, orig_cpu: 1, dest_cpu: 0 });
        expect(moved.length).toBeGreaterThan(0);
        expect(moved.at(-1)).toMatchObject({ comm: 'sh', prio: 120 });
      },
    );

    test('a task that is taken off its CPU could have gone on', async () => {
      const pids: number[] = [];
      const tracked = await track(['sched_switch'], async () => {
        const both = [spin(0), spin(0)];
        pids.push(...both.map((each) => each.pid));
        // In slices of a few ms each has had dozens then.
        for (const { pid } of both) await hasRun(pid, 300);
        await Promise.all(both.map((each) => each.stop()));
      });
      const taken = tracked.events.filter(
        ({ prev_pid, next_pid, cpu }) =>
          cpu === 0 && pids.includes(Number(prev_pid)) && pids.includes(Number(next_pid)),
      );
      // The last switch of each is its end: it was killed.
      const ends = pids.map((pid) => only(tracked, 'sched_switch', { prev_pid: pid }).at(-1));
      const preempted = taken.filter((each) => !ends.includes(each));
      expect(preempted.length).toBeGreaterThan(5);
      for (const each of preempted) expect(each['prev_state']).toBe('R');
    });

    test('a softirq tells its number and how long it took', async () => {
      const tracked = await track(['softirq'], async () => {
        const receiver = createSocket('udp4');
        const sender = createSocket('udp4');
        await new Promise<void>((resolve) => receiver.bind(0, '127.0.0.1', resolve));
        const { port } = receiver.address();
        for (let count = 0; count < 50; count++) {
          await new Promise((resolve) => sender.send('x', port, '127.0.0.1', resolve));
        }
        sender.close();
        receiver.close();
      });
      expectExact(tracked);
      const received = only(tracked, 'softirq', { softirq_nr: 3 });
      expect(received.length).toBeGreaterThanOrEqual(40);
      for (const each of received) {
        expect(each['softirq_name']).toBe('NET_RX');
        expect(each['duration_ns']).toBe(Number(each['exit_ts']) - Number(each['entry_ts']));
        expect(Number(each['duration_ns'])).toBeGreaterThan(0);
        expect(Number(each['duration_ns'])).toBeLessThan(1e9);
      }
    });

    test.skipIf(cpus < 2)(
      'an interrupt that a CPU sends tells its target (needs two CPUs)',
      { timeout: 60_000 },
      async () => {
        const tracked = await track(['ipi'], async () => {
          const busy = spin(1);
          // Taking a CPU away from a task that runs makes the kernel interrupt it.
          for (let round = 0; round < 10; round++) {
            await run('taskset', ['-pc', String(round % 2), String(busy.pid)]);
          }
          await busy.stop();
        });
        const sent = only(tracked, 'ipi');
        expect(sent.length).toBeGreaterThan(0);
        const targets = sent.flatMap((each) => (each['target_cpu'] === null ? [] : [each]));
        expect(targets.some(({ cpu, target_cpu }) => target_cpu !== cpu)).toBe(true);
        for (const { target_cpu } of targets) {
          expect(Number(target_cpu)).toBeLessThan(cpus);
        }
      },
    );

    test('samples tell what a CPU does, 99 times a second', async () => {
      let pid = 0;
      const tracked = await track(['perf_sample'], async () => {
        const busy = spin(0);
        pid = busy.pid;
        await pause(1500);
        await busy.stop();
      });
      const samples = only(tracked, 'perf_sample', { pid, comm: 'sh' });
      expect(samples.length).toBeGreaterThan(30);
      expect(samples.length).toBeLessThan(200);
      for (const {
        cpu,
        cpu_id,
        is_kernel,
        kernel_stack,
        user_stack,
        instruction_pointer,
      } of samples) {
        expect(cpu).toBe(0);
        expect(cpu_id).toBe(0);
        const stack = is_kernel ? kernel_stack : user_stack;
        expect(Array.isArray(stack) ? stack[0] : null).toBe(instruction_pointer);
      }
      expect(samples.some((each) => each['is_kernel'] === false)).toBe(true);
    });

    test('a name with line breaks forges no event and costs no count', async () => {
      const path = join(folder, 'x\ne\t1\t1\t1\t1\t1');
      copyFileSync('/bin/sleep', path);
      let pid = 0;
      const types = ['sched_switch', 'sched_wakeup', 'exec', 'exit', 'fork', 'wait'] as const;
      const tracked = await track(types, async () => {
        const hostile = begin(path, '0.1');
        pid = hostile.pid;
        await hostile.ended;
      });
      expectExact(tracked);
      expect(tracked.lost).toBe(0);
      expect(only(tracked, 'exec', { pid })).toMatchObject([{ comm: 'x e 1 1 1 1 1' }]);
      expect(only(tracked, 'exit', { pid })).toMatchObject([{ comm: 'x e 1 1 1 1 1' }]);
      expect(only(tracked, 'sched_switch', { next_comm: 'x e 1 1 1 1 1' }).length).toBeGreaterThan(
        0,
      );
    });

    test('of many tasks that switch all records arrive, or are counted as lost', async () => {
      const tracked = await track(['sched_switch', 'sched_wakeup'], () =>
        run('perf', ['bench', 'sched', 'pipe', '-l', '20000']),
      );
      expect(tracked.seen).toBeGreaterThan(40_000);
      expect(tracked.received).toBeLessThanOrEqual(tracked.seen);
      expect(tracked.unread).toEqual([]);
      // What bpftrace says it lost may hold a line or two that are no records.
      expect(tracked.received + tracked.lost - tracked.seen).toBeGreaterThanOrEqual(0);
      expect(tracked.received + tracked.lost - tracked.seen).toBeLessThan(10);
    });
  },
);
