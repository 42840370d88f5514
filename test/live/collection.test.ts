import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import {
  disableCollection,
  enableCollection,
  resetStats,
} from '../../src/collectors/collection-control.ts';
import { collectTopProcesses } from '../../src/collectors/collection-processes.ts';
import { collectSchedulingStats } from '../../src/collectors/collection-stats.ts';
import { createContext } from '../../src/context.ts';
import { call } from '../fake-host.ts';
import { killProcess } from '../kill-process.ts';
import { connect, initialize, line, parseLines, pipe, server as program } from '../server/stdio.ts';
import { type Started, startedBy } from './started.ts';
import { withTracefs } from './with-tracefs.ts';

const needs = [
  ['bpftrace', existsSync('/usr/bin/bpftrace')],
  ['perf', existsSync('/usr/bin/perf')],
  ['root', process.geteuid?.() === 0],
] as const;
const lacking = needs.filter(([, there]) => !there).map(([what]) => what);
const why = lacking.length === 0 ? '' : ` (needs ${lacking.join(', ')})`;

const ctx = createContext({ daemon: false, readOnly: false });
const limit = { duration_secs: 120 };
const top = { limit: 50, offset: 0, sort_by: 'total' } as const;
/** Each operation is two switches, one of each of its two processes. */
const operations = 20_000;

const pingPong = () => execFileSync('perf', ['bench', 'sched', 'pipe', '-l', String(operations)]);

/** Switches of the whole system, as the kernel counts them itself. */
const ctxt = (): number => Number(/^ctxt (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]);

const tracers = (server: number): readonly Started[] =>
  startedBy(server).filter(({ comm }) => comm.startsWith('bpftrace'));

async function until(isSo: () => boolean): Promise<void> {
  for (let waited_ms = 0; !isSo() && waited_ms < 15_000; waited_ms += 50) await delay(50);
  expect(isSo()).toBe(true);
}

/** Counts the switches of perf's two processes, past us, until it is ended. */
function independentCount(): { ready: Promise<void>; finish(): Promise<number> } {
  const program =
    'tracepoint:sched:sched_switch /args->prev_comm == "sched-pipe"/ { @ = count(); } BEGIN { printf("ready\\n"); }';
  const child = spawn(...withTracefs('bpftrace', '-e', program));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    ready: until(() => said.includes('ready')),
    async finish() {
      child.kill('SIGINT');
      await ended;
      return Number(/@: (\d+)/.exec(said)?.[1]);
    },
  };
}

afterEach(() => disableCollection(ctx, call));
afterAll(() => expect(tracers(process.pid)).toEqual([]));

describe.skipIf(lacking.length > 0)(`collection${why}`, () => {
  test('agrees with perf, with an independent bpftrace and with /proc/stat', {
    timeout: 60_000,
  }, async () => {
    const independent = independentCount();
    await independent.ready;
    await enableCollection(ctx, limit, call);
    await resetStats(ctx, call);
    const before = ctxt();
    pingPong();
    const after = ctxt();
    const { data: stats } = await collectSchedulingStats(ctx, call);
    const { data: processes } = await collectTopProcesses(ctx, top, call);
    const theirs = await independent.finish();

    const pipes = (processes.top_processes ?? []).filter(({ comm }) => comm === 'sched-pipe');
    expect(pipes).toHaveLength(2);
    for (const { switches_from, switches_to } of pipes) {
      // Where the other side answers before the reader sleeps, there is no switch.
      expect(switches_from).toBeGreaterThan(operations * 0.95);
      expect(switches_from).toBeLessThan(operations * 1.05);
      expect(Math.abs(switches_from - switches_to)).toBeLessThan(20);
    }
    const ours = pipes.reduce((sum, { switches_from }) => sum + switches_from, 0);
    expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(theirs * 0.001);

    // The window of ours is a little longer than that of /proc/stat.
    const all = stats.context_switches ?? 0;
    expect(all).toBeGreaterThan((after - before) * 0.98);
    expect(all).toBeLessThan((after - before) * 1.1);
    expect(stats.per_cpu?.reduce((sum, { switches }) => sum + switches, 0)).toBe(all);
    expect(stats.total_events).toBeLessThanOrEqual(2 * all);
    expect(stats.total_events).toBeGreaterThan(2 * all * 0.97);
    expect(stats.missed_events).toBe(0);
    expect(stats.unattributed_switches).toBe(0);
  });

  test('ends by itself at its time limit, and tells what it had counted', {
    timeout: 30_000,
  }, async () => {
    await enableCollection(ctx, { duration_secs: 1 }, call);
    await until(() => tracers(process.pid).length === 0);
    const { data } = await collectSchedulingStats(ctx, call);
    expect(data).toMatchObject({ collection_enabled: false, ended_by: 'time_limit' });
    expect(data.window_secs).toBeGreaterThan(0.99);
    expect(data.window_secs).toBeLessThan(1.6);
    expect(data.context_switches).toBeGreaterThan(0);
  });

  test('tells that bpftrace was killed, and can be enabled again', {
    timeout: 30_000,
  }, async () => {
    await enableCollection(ctx, limit, call);
    killProcess(tracers(process.pid)[0]?.pid);
    await until(() => tracers(process.pid).length === 0);
    const { data } = await collectSchedulingStats(ctx, call);
    expect(data).toMatchObject({ collection_enabled: false, ended_by: 'tracer_ended' });
    const again = await enableCollection(ctx, limit, call);
    expect(again.data.message).toBe('Collection enabled, stats reset');
  });
});

describe.skipIf(lacking.length > 0)(`the server${why}`, () => {
  const tool = (id: number, name: string, args: object = {}) =>
    line(id, 'tools/call', { name, arguments: args });
  const dataOf = (message: ReturnType<typeof parseLines>[number] | undefined) =>
    Object(message?.result?.['structuredContent']).data;

  test('answers a whole script in its order, though all of it comes at once', {
    timeout: 30_000,
  }, () => {
    const script = [
      initialize('2024-11-05'),
      tool(2, 'enable_collection'),
      tool(3, 'get_scheduling_stats'),
      tool(4, 'get_top_processes', { limit: 5 }),
      tool(5, 'disable_collection'),
      tool(6, 'get_scheduling_stats'),
    ];
    const { messages, status } = pipe(script.join(''));
    expect(status).toBe(0);
    expect(messages.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6]);
    const [, enabled, stats, processes, disabled, frozen] = messages.map(dataOf);
    expect(enabled.message).toBe('Collection enabled, stats reset');
    expect(stats.collection_enabled).toBe(true);
    expect(processes.limit).toBe(5);
    expect(disabled.message).toBe('Collection disabled');
    expect(frozen.collection_enabled).toBe(false);
    expect(frozen.context_switches).toBeGreaterThanOrEqual(stats.context_switches);
  });

  test('tells what happened between enable and stats of a shell that waits in between', {
    timeout: 60_000,
  }, () => {
    const say = (text: string) => `printf '%s' '${text}'`;
    const group = [
      say(initialize('2024-11-05') + tool(2, 'enable_collection')),
      'sleep 2',
      `perf bench sched pipe -l ${operations} >/dev/null`,
      say(tool(3, 'get_scheduling_stats') + tool(4, 'get_top_processes', { limit: 5 })),
      say(tool(5, 'disable_collection')),
    ];
    const command = `( ${group.join('; ')}; ) | ${[...program, 'mcp'].join(' ')}`;
    const printed = execFileSync('sh', ['-c', command], { encoding: 'utf8' });
    const messages = parseLines(printed);
    expect(messages.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
    const [, , stats, processes] = messages.map(dataOf);
    expect(stats.total_events).toBeGreaterThan(4 * operations);
    const names = processes.top_processes.map(({ comm }: { comm: string }) => comm);
    expect(names).toContain('sched-pipe');
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)(
    'leaves no bpftrace behind after %s',
    {
      timeout: 30_000,
    },
    async (signal) => {
      const server = connect(['mcp']);
      const pid = server.child.pid ?? 0;
      await server.call('enable_collection');
      expect(tracers(pid)).toHaveLength(1);
      const [tracer] = tracers(pid);
      server.child.kill(signal);
      await until(() => !existsSync(`/proc/${tracer?.pid}`));
    },
  );
});
