import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tracingObstacle } from '../../src/collectors/bpftrace-tracer.ts';
import { createContext } from '../../src/context.ts';
import { killProcess } from '../kill-process.ts';
import { connect, type Message } from '../server/stdio.ts';
import { folderNames } from './started.ts';

const obstacle = tracingObstacle(createContext({ daemon: true, readOnly: false }), 'events');
const uri = 'events://stream';
const attach_ms = 60_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const dataOf = ({ result }: Message) => Object(Object(result)['structuredContent'])['data'];

let server: ReturnType<typeof connect>;
let load: ChildProcess | undefined;

beforeEach(() => {
  server = connect(['mcp', '--daemon']);
});

afterEach(async () => {
  load?.kill('SIGKILL');
  load = undefined;
  server.child.stdout.resume();
  server.child.kill('SIGKILL');
  await pause(500);
});

/** Programs whose command line names the scratch folder of that server, or of a helper: its bpftrace. */
function tracersOf(pid: number): number[] {
  const own = folderNames(pid);
  return readdirSync('/proc')
    .filter((each) => /^\d+$/.test(each))
    .filter((each) => {
      try {
        return own.test(readFileSync(`/proc/${each}/cmdline`, 'utf8'));
      } catch {
        return false;
      }
    })
    .map(Number);
}

const tracers = (): number[] => tracersOf(server.child.pid ?? 0);

/** Switches as fast as two processes can, on one CPU. */
function switchForever(): void {
  load = spawn('taskset', ['-c', '0', 'stress-ng', '--switch', '1', '--quiet'], {
    stdio: 'ignore',
  });
}

async function subscribe(to = uri): Promise<void> {
  const { error } = await server.request('resources/subscribe', { uri: to }).answer;
  expect(error).toBeUndefined();
}

type Line = Readonly<Record<string, unknown>>;

/** Reads until nothing is left, checking that each answer adds up. */
async function readAll(query = ''): Promise<{ events: Line[]; dropped: Record<string, number> }> {
  const events: Line[] = [];
  const dropped: Record<string, number> = {};
  for (;;) {
    const { result, error } = await server.read(`${uri}?limit=20000${query}`);
    expect(error).toBeUndefined();
    const lines: Line[] = Object(result)
      ['contents'][0].text.trimEnd()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    const cursor = Object(lines.pop());
    const lost: Record<string, number> = cursor.dropped;
    const sum = Object.values(lost).reduce((total, each) => total + each, 0);
    expect(cursor.seen).toBe(lines.length + cursor.hidden + sum);
    for (const [cause, count] of Object.entries(lost))
      dropped[cause] = (dropped[cause] ?? 0) + count;
    events.push(...lines);
    if (lines.length === 0 || cursor.pending === 0) return { events, dropped };
  }
}

const rssMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;

describe.skipIf(obstacle !== null)(
  'the event stream (needs root and bpftrace)',
  { timeout: 120_000 },
  () => {
    test('brings the switches of a load to a subscriber, numbered without gaps, and adds up', async () => {
      await subscribe();
      load = spawn('perf', ['bench', 'sched', 'pipe', '-l', '5000'], { stdio: 'ignore' });
      await new Promise((resolve) => load?.once('exit', resolve));
      await pause(1000);
      const { events, dropped } = await readAll();
      const seqs = events.map(({ seq }) => Number(seq));
      expect(seqs).toEqual(seqs.map((_, index) => Number(seqs[0]) + index));
      const switches = events.filter(
        (each) => each['type'] === 'sched_switch' && each['next_comm'] === 'sched-pipe',
      );
      const lost = Object.values(dropped).reduce((total, each) => total + each, 0);
      // Each of the 5000 rounds wakes both ends once.
      expect(switches.length + lost).toBeGreaterThan(9000);
      expect(switches.length).toBeGreaterThan(0.9 * 9000);
      const updates = server.messages.filter(({ method }) => method?.endsWith('resources/updated'));
      expect(updates.length).toBeGreaterThan(2);
    });

    test('tells of news at most ten times a second', async () => {
      await subscribe();
      switchForever();
      await pause(1000);
      const count = () =>
        server.messages.filter(({ method }) => method?.endsWith('updated')).length;
      const before = count();
      await pause(3000);
      expect(count() - before).toBeLessThanOrEqual(31);
      expect(count() - before).toBeGreaterThan(10);
    });

    test('is detached and gives its memory back when the last subscriber leaves', async () => {
      await subscribe();
      await subscribe(`${uri}?types=exit`);
      expect(tracers()).toHaveLength(1);
      switchForever();
      await pause(4000);
      const full = rssMb(server.child.pid ?? 0);
      await server.request('resources/unsubscribe', { uri }).answer;
      expect(tracers()).toHaveLength(1);
      await server.request('resources/unsubscribe', { uri: `${uri}?types=exit` }).answer;
      await expect.poll(tracers, { timeout: 4000 }).toEqual([]);
      expect(rssMb(server.child.pid ?? 0)).toBeLessThan(full - 5);
    });

    test('goes on after SIGKILL of bpftrace, once, and says so', async () => {
      await server.call('control_event_tracking', { action: 'start', types: 'sched_switch,exit' });
      const [first] = tracers();
      killProcess(first);
      const next = () => tracers().filter((each) => each !== first);
      await expect.poll(next, { timeout: attach_ms }).toHaveLength(1);
      const status = async () =>
        dataOf(await server.call('control_event_tracking', { action: 'status' }));
      await expect
        .poll(status, { timeout: attach_ms })
        .toMatchObject({ state: 'running', restarts: 1 });
      killProcess(next()[0]);
      await expect.poll(status, { timeout: attach_ms }).toMatchObject({ state: 'stopped' });
      await pause(1000);
      expect(tracers()).toEqual([]);
      const { events } = await readAll();
      const marks = events.filter(({ type }) => String(type).startsWith('trace_'));
      expect(marks.map(({ type }) => type)).toEqual([
        'trace_started',
        'trace_stopped',
        'trace_started',
        'trace_stopped',
      ]);
      expect(marks[1]?.['reason']).toContain('unexpectedly');
      expect(marks[3]?.['reason']).toContain('again');
    });

    test.each(['SIGKILL', 'SIGTERM'] as const)(
      'leaves no bpftrace after %s of the server',
      async (signal) => {
        await subscribe();
        const pid = server.child.pid ?? 0;
        expect(tracersOf(pid)).toHaveLength(1);
        server.child.kill(signal);
        await expect.poll(() => tracersOf(pid), { timeout: 3000 }).toEqual([]);
      },
    );

    test('ends with a client that goes away', async () => {
      await server.call('control_event_tracking', { action: 'start' });
      const pid = server.child.pid ?? 0;
      expect(tracersOf(pid)).toHaveLength(1);
      server.close();
      await expect.poll(() => server.child.exitCode, { timeout: 5000 }).toBe(0);
      await expect.poll(() => tracersOf(pid), { timeout: 3000 }).toEqual([]);
    });

    test('stays small and ends in time for a client that takes nothing', async () => {
      await server.call('control_event_tracking', { action: 'start', duration_s: 12 });
      await subscribe();
      await server.request('resources/unsubscribe', { uri }).answer;
      server.child.stdout.pause();
      const pid = server.child.pid ?? 0;
      switchForever();
      for (let time = 0; time < 40; time++) server.request('tools/list');
      await pause(6000);
      expect(rssMb(pid)).toBeLessThan(200);
      await expect.poll(() => tracersOf(pid), { timeout: 15_000 }).toEqual([]);
      server.child.stdout.resume();
      const { state } = dataOf(await server.call('control_event_tracking', { action: 'status' }));
      expect(state).toBe('stopped');
    });

    test('leaves out its own processes and says what it costs', async () => {
      await server.call('control_event_tracking', { action: 'start', types: 'sched_switch' });
      const own = [server.child.pid, ...tracers()];
      switchForever();
      await pause(3500);
      const status = dataOf(await server.call('control_event_tracking', { action: 'status' }));
      expect(status.tracer_cpu_pct).toBeGreaterThan(0);
      expect(status.server_cpu_pct).toBeGreaterThanOrEqual(0);
      await server.call('control_event_tracking', { action: 'stop' });
      const { events } = await readAll();
      const ours = events.filter(
        ({ type, prev_pid, next_pid }) =>
          type === 'sched_switch' && [prev_pid, next_pid].every((pid) => own.includes(Number(pid))),
      );
      expect(ours).toEqual([]);
    });
  },
);
