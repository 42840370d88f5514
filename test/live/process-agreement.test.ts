import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { collectOneProcess } from '../../src/collectors/one-process.ts';
import type { ProcessRow } from '../../src/collectors/process-row.ts';
import { collectProcesses } from '../../src/collectors/processes.ts';
import { createContext } from '../../src/context.ts';
import { call } from '../stepped-context.ts';

const run = promisify(execFile);
const ctx = createContext({ daemon: false, readOnly: false });
const has = (program: string): boolean => existsSync(`/usr/bin/${program}`);
const page = { limit: 20, offset: 0, sort: 'cpu' } as const;

const loop = ['sh', '-c', 'while :; do :; done'];
/** Works about 60 ms of each 100. */
const partly = [
  'perl',
  '-MTime::HiRes=time,sleep',
  '-e',
  'while (1) { my $end = time + 0.06; 1 while time < $end; sleep 0.04 }',
];
/** Sleeps a thousand times a second. */
const sleeper = ['perl', '-e', 'select(undef, undef, undef, 0.001) while 1'];

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function background([program = '', ...args]: readonly string[]): Promise<number> {
  const child = spawn(program, args, { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  await delay(200);
  return child.pid!;
}

const pinned = (cpu: number, command: readonly string[]) => ['taskset', '-c', `${cpu}`, ...command];

/** %wait and %CPU of each pid over so many seconds. */
async function pidstat(pids: readonly number[], seconds: number) {
  const args = ['-p', pids.join(','), '-u', `${seconds}`, '1'];
  const { stdout } = await run('pidstat', args, { env: { ...process.env, LC_ALL: 'C' } });
  const lines = stdout.split('\n').map((line) => line.trim().split(/\s+/u));
  const names = lines.find((fields) => fields.includes('%wait')) ?? [];
  const averages = lines.filter((fields) => fields[0] === 'Average:' && fields[2] !== 'PID');
  const shift = names.indexOf('PID') - 2;
  const field = (fields: readonly string[], name: string): number =>
    Number(fields[names.indexOf(name) - shift]);
  return new Map(
    averages.map((fields) => [
      field(fields, 'PID'),
      { wait_pct: field(fields, '%wait'), cpu_pct: field(fields, '%CPU') },
    ]),
  );
}

async function rowsOf(pids: readonly number[], window_ms: number): Promise<ProcessRow[]> {
  const { data } = await collectProcesses(ctx, { ...page, limit: 200, window_ms }, call);
  return pids.map((pid) => {
    const row = data.processes.find((each) => each.pid === pid);
    if (!row) throw new Error(`process ${pid} is not in the answer`);
    return row;
  });
}

describe.skipIf(!has('pidstat') || !has('perl'))('beside pidstat (needs sysstat and perl)', () => {
  test('CPU time of a program that is busy part of the time', async () => {
    const pid = await background(partly);
    const [theirs, [ours]] = await Promise.all([pidstat([pid], 3), rowsOf([pid], 3000)]);
    expect(theirs.get(pid)!.cpu_pct).toBeGreaterThan(20);
    expect(Math.abs(ours!.cpu_pct! - theirs.get(pid)!.cpu_pct)).toBeLessThan(3);
  });

  test.skipIf(!has('taskset'))(
    'run queue wait of two loops on one CPU, about half of the time each (needs taskset)',
    async () => {
      const pids = [await background(pinned(0, loop)), await background(pinned(0, loop))];
      const [theirs, ours] = await Promise.all([pidstat(pids, 3), rowsOf(pids, 3000)]);
      for (const row of ours) {
        // A loop either runs or waits, whatever else goes on.
        expect(Math.abs(row.cpu_pct! + row.run_queue_wait_pct! - 100)).toBeLessThan(3);
        expect(row.run_queue_wait_pct).toBeGreaterThan(45);
        const { wait_pct } = theirs.get(row.pid)!;
        expect(Math.abs(row.run_queue_wait_pct! - wait_pct)).toBeLessThan(3);
        expect(row.latency!.avg_ns! * row.latency!.samples).toBeCloseTo(row.latency!.total_ns, -4);
      }
    },
  );
});

/** Context switches of all threads of a process, as `status` counts them. */
function switchesSoFar(pid: number): number {
  const texts = readdirSync(`/proc/${pid}/task`).map((tid) =>
    readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8'),
  );
  const counts = texts.flatMap((text) => [
    ...text.matchAll(/^(?:non)?voluntary_ctxt_.*\t(\d+)$/gmu),
  ]);
  return counts.reduce((sum, match) => sum + Number(match[1]), 0);
}

describe.skipIf(!has('perl'))('beside the counters of the kernel (needs perl)', () => {
  test('context switches of a program that sleeps a thousand times a second', async () => {
    const pid = await background(sleeper);
    const [before, started_ms] = [switchesSoFar(pid), performance.now()];
    const { data, window_ms = 0 } = await collectOneProcess(
      ctx,
      { ...page, pid, window_ms: 2000 },
      call,
    );
    const around = switchesSoFar(pid) - before;
    const [row] = data.processes;
    expect(row.nr_switches).toBeGreaterThan(500);
    expect(row.nr_switches).toBeLessThanOrEqual(around);
    const theirs_per_s = (around * 1000) / (performance.now() - started_ms);
    expect(row.switches_per_s! / theirs_per_s).toBeCloseTo(1, 1);
    expect(row.switches_per_s).toBeCloseTo((row.nr_switches! * 1000) / window_ms, -1);
  });

  test.skipIf(!has('taskset') || availableParallelism() < 2)(
    'migrations of a program that is moved a known number of times (needs taskset and two CPUs)',
    async () => {
      const pid = await background(pinned(0, sleeper));
      const query = { ...page, pid, window_ms: 3000 };
      const reading = collectOneProcess(ctx, query, call);
      await delay(200);
      let moves = 0;
      for (; moves < 20; moves++) {
        await run('taskset', ['-cp', `${(moves + 1) % 2}`, `${pid}`]);
        await delay(50);
      }
      const { data, window_ms = 0 } = await reading;
      const [row] = data.processes;
      expect(Math.round((row.migrations_per_s! * window_ms) / 1000)).toBe(moves);
      expect(row.nr_migrations_total).toBeGreaterThanOrEqual(moves);
    },
  );

  test('the same process is told alike in the list and alone', async () => {
    const pid = await background(partly);
    const [[listed], alone] = await Promise.all([
      rowsOf([pid], 2000),
      collectOneProcess(ctx, { ...page, pid, window_ms: 2000 }, call),
    ]);
    const [row] = alone.data.processes;
    expect(Math.abs(row.cpu_pct! - listed!.cpu_pct!)).toBeLessThan(3);
    expect(row).toMatchObject({ cmdline: listed!.cmdline, policy: 'SCHED_OTHER', nice: 0 });
  });
});
