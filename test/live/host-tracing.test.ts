import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { collectCpuProfile } from '../../src/collectors/cpu-profile.ts';
import { collectExecTrace, type ExecTraceQuery } from '../../src/collectors/exec-trace.ts';
import { collectOffcpuProfile } from '../../src/collectors/offcpu-profile.ts';
import { collectRunqLatency } from '../../src/collectors/runq-latency.ts';
import { collectSyscallCount } from '../../src/collectors/syscall-count.ts';
import { collectThreadProfile } from '../../src/collectors/thread-profile.ts';
import { createContext } from '../../src/context.ts';
import { call } from '../fake-host.ts';
import { callThatActs, endLoads, load, noTracing } from './traced-load.ts';

const ctx = createContext({ daemon: false, readOnly: false });
const python = '/usr/bin/python3';
// A busy host takes seconds until bpftrace watches, and seconds until it has ended.
vi.setConfig({ testTimeout: 60_000 });
afterEach(endLoads);

describe.skipIf(noTracing !== '')(`what a tracer finds${noTracing}`, () => {
  test('two loops on one CPU each wait for it about half of the time', async () => {
    const loop = 'echo ready; while :; do :; done';
    const cpu = String(availableParallelism() - 1);
    const pids: number[] = [];
    for (let each = 0; each < 2; each++) {
      pids.push((await load('taskset', '-c', cpu, 'sh', '-c', loop)).pid);
    }
    const query = { per_process: true, per_pidns: false, milliseconds: false };
    const answer = await collectRunqLatency(ctx, { duration_seconds: 2, ...query }, call);
    const { data, window_ms = 0 } = answer;
    expect(data.method).toBe('bpftrace');
    for (const pid of pids) {
      const row = data.by_process?.find((each) => each.pid === pid);
      // Others run on that CPU too, and the last wait of the window is not over.
      expect(row?.total_wait_ms).toBeGreaterThan(window_ms * 0.3);
      expect(row?.total_wait_ms).toBeLessThan(window_ms * 0.9);
      expect(row?.avg_latency_us).toBeGreaterThan(500);
    }
    const counted = data.histogram?.reduce((sum, { count }) => sum + count, 0);
    expect(counted).toBe(data.summary?.total_wakeups);
  });

  test('waits of one process alone, in ranges of milliseconds', async () => {
    const { pid } = await load('sh', '-c', 'echo ready; while :; do :; done');
    const query = { per_process: true, per_pidns: false, milliseconds: true };
    const { data } = await collectRunqLatency(ctx, { duration_seconds: 1, pid, ...query }, call);
    expect(data.pid).toBe(pid);
    expect(data.by_process?.map((row) => row.pid)).toEqual(
      (data.summary?.total_wakeups ?? 0) > 0 ? [pid] : [],
    );
    for (const { range_start_us } of data.histogram ?? []) expect(range_start_us % 1000).toBe(0);
  });

  test('a container’s waits stand under its PID namespace', async () => {
    const command = 'echo ready; while :; do sleep 0.01; done';
    await load('unshare', '--fork', '--pid', 'sh', '-c', command);
    const query = { per_process: false, per_pidns: true, milliseconds: false };
    const { data } = await collectRunqLatency(ctx, { duration_seconds: 1, ...query }, call);
    const spaces = data.by_pidns?.map(({ pidns }) => pidns) ?? [];
    expect(spaces).toContain(4_026_531_836);
    expect(spaces.length).toBeGreaterThan(1);
  });

  test('20,000 calls of getppid are counted as 20,000, and ten failures as ENOENT', async () => {
    const { pid, go } = await load(python, 'test/live/programs/calls.py', '20000');
    const flags = { include_latency: true, per_process: true, include_errors: false, top_n: 5 };
    const query = { duration_seconds: 3, pid, ...flags };
    const { data, window_ms = 0 } = await collectSyscallCount(ctx, query, callThatActs(go));
    const [first] = data.syscalls ?? [];
    expect(first).toMatchObject({ name: 'getppid', count: 20_000, errors: 0 });
    expect(first?.rate_per_sec).toBeCloseTo((20_000 * 1000) / window_ms, 0);
    expect(first?.latency?.avg_us).toBeGreaterThan(0);
    expect(first?.latency?.avg_us).toBeLessThan(100);
    const stat = data.syscalls?.find(({ name }) => /stat/.test(name));
    expect(stat).toMatchObject({ top_errors: [{ errno: 'ENOENT', count: 10 }] });
    expect(data.by_process).toHaveLength(1);
    expect(data.by_process?.[0]).toMatchObject({
      pid,
      top_syscalls: [{ name: 'getppid' }, {}, {}],
    });
    expect(data.findings.map(({ id }) => id)).toContain('dominant_syscall');
  });

  const flags = { include_latency: false, per_process: false, top_n: 20 };

  test('failed calls alone', async () => {
    const { pid, go } = await load(python, 'test/live/programs/calls.py', '10');
    const query = { duration_seconds: 3, pid, include_errors: true, ...flags };
    const { data } = await collectSyscallCount(ctx, query, callThatActs(go));
    expect(data.summary).toMatchObject({ total_syscalls: 10, failed_syscalls: 10 });
  });

  test('calls of programs of one name alone', async () => {
    // A name of its own: other programs in Python run on a host, too.
    const folder = mkdtempSync(join(tmpdir(), 'tracewright-calls-'));
    const comm = `calls-${process.pid}`;
    symlinkSync(python, join(folder, comm));
    try {
      const { go } = await load(join(folder, comm), 'test/live/programs/calls.py', '5000');
      const query = { duration_seconds: 3, comm, include_errors: false, ...flags };
      const { data } = await collectSyscallCount(ctx, query, callThatActs(go));
      expect(data.target).toBe(`system-wide comm:${comm}`);
      const getppid = data.syscalls?.find(({ name }) => name === 'getppid');
      expect(getppid?.count).toBe(5000);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('a storm of 50 programs is counted, with codes, signals and what could not be run', async () => {
    const storm = [
      'echo ready; read line; i=0',
      'while [ $i -lt 50 ]; do /bin/true; i=$((i+1)); done',
      '/nonexistent/program; sh -c "exit 7"; sh -c "kill -9 \\$\\$"',
      'sleep 60',
    ].join('; ');
    const { pid, go } = await load('bash', '-c', `${storm} 2>/dev/null`);
    const query: ExecTraceQuery = {
      duration_seconds: 3,
      pid,
      ...{ include_failed: false, max_args: 3, include_timestamps: true, mode: 'both' },
      ...{ include_fork_clone: false, include_exec: true, include_exit: true },
    };
    const { data } = await collectExecTrace(ctx, query, callThatActs(go));
    const { summary } = data;
    expect(data.method).toBe('bpftrace');
    expect(summary?.by_command).toMatchObject({ true: 50, sh: 2, sleep: 1 });
    // 50 and sh twice that worked, sleep that still runs, and one that failed.
    expect(summary).toMatchObject({ total_execs: 54, failed_execs: 1, total_forks: 54 });
    expect(summary).toMatchObject({ total_exits: 53, killed_by_signal: 1, exited_nonzero: 2 });
    expect(summary?.short_lived).toBe(53);
    const events = data.process_events ?? [];
    expect(events.find(({ exit_code }) => exit_code === 7)).toMatchObject({
      comm: 'sh',
      ppid: pid,
    });
    expect(events.find(({ signal }) => signal === 9)).toMatchObject({
      comm: 'sh',
      exit_code: null,
    });
    expect(events.find(({ error }) => error === 'ENOENT')).toMatchObject({
      filename: '/nonexistent/program',
      return_code: -2,
    });
    const [root] = data.tree ?? [];
    expect(root).toMatchObject({ pid, comm: 'bash', exited: false });
    expect(root?.children.length).toBeGreaterThan(0);
  });

  test('a program that is looked for along PATH has the name under which it was found', async () => {
    const walks = [
      'echo ready; read line; PATH=/nonexistent/1:/nonexistent/2:/usr/bin:/bin',
      // Side by side: the kernel spreads them over the CPUs.
      'for i in 1 2 3 4 5 6 7 8; do env nice true $i & done; wait',
      'exec sleep 60',
    ].join('; ');
    const { pid, go } = await load('bash', '-c', walks);
    const query: ExecTraceQuery = {
      duration_seconds: 3,
      pid,
      ...{ include_failed: false, max_args: 3, include_timestamps: false, mode: 'events' },
      ...{ include_fork_clone: false, include_exec: true, include_exit: false },
    };
    const { data } = await collectExecTrace(ctx, query, callThatActs(go));
    const events = data.process_events ?? [];
    const ran = events.filter(({ return_code }) => return_code === 0);
    const names = ran.map(({ comm, filename }) => `${comm} ${filename}`);
    for (const each of ['env', 'nice', 'true']) {
      expect(names.filter((name) => name === `${each} /usr/bin/${each}`)).toHaveLength(8);
    }
    expect(names).toHaveLength(25);
    const words = ran.filter(({ comm }) => comm === 'true').map(({ args }) => args);
    expect(words.sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((each) => `true ${each}`));
    const failed = events.filter(({ error }) => error === 'ENOENT');
    const folders = failed.map(({ comm, filename }) => `${comm} ${filename}`);
    for (const each of ['env /nonexistent/1/nice', 'nice /nonexistent/2/true']) {
      expect(folders.filter((name) => name === each)).toHaveLength(8);
    }
    expect(folders).toHaveLength(32);
  });

  test('a lock is told from a sleep, with the sums of all threads', async () => {
    const { pid } = await load(python, 'test/live/programs/locks.py');
    const shown = { min_block_us: 100, kernel_stacks: true, user_stacks: true };
    const { data, window_ms = 0 } = await collectOffcpuProfile(
      ctx,
      { duration_seconds: 2, pid, ...shown },
      call,
    );
    expect(data.method).toBe('bpftrace');
    const of = (type: string): number =>
      data.by_wait_type?.find(({ wait_type }) => wait_type === type)?.blocked_ms ?? 0;
    // Two of three threads wait for the lock, the third sleeps with it, and so does the first thread.
    expect(of('lock') / window_ms).toBeGreaterThan(1.6);
    expect(of('lock') / window_ms).toBeLessThan(2.1);
    expect(of('sleep') / window_ms).toBeGreaterThan(1.6);
    expect(of('sleep') / window_ms).toBeLessThan(2.2);
    const stack = data.sample_stacks?.find(({ wait_type }) => wait_type === 'lock')?.stack ?? [];
    expect(stack.join(' ')).toContain('futex');
    expect(data.by_process).toEqual([expect.objectContaining({ pid })]);
  });

  test('threads that wait for ever are found, though they are never switched', async () => {
    const { pid } = await load(python, 'test/live/programs/deadlock.py');
    await delay(300);
    const shown = { min_block_us: 1000, kernel_stacks: true, user_stacks: false };
    const { data, window_ms = 0 } = await collectOffcpuProfile(
      ctx,
      { duration_seconds: 1, pid, ...shown },
      call,
    );
    expect(data.still_waiting).toBe(3);
    expect(data.by_wait_type).toEqual([
      expect.objectContaining({ wait_type: 'lock', percent: 100, waits: 3 }),
    ]);
    expect(data.total_blocked_ms).toBeCloseTo(3 * window_ms, -1);
  });
});

const noPerf =
  existsSync('/usr/bin/perf') && process.geteuid?.() === 0 ? '' : ' (needs perf, root)';

test.skipIf(noPerf !== '')(`the known hot function takes nine parts of ten${noPerf}`, async () => {
  // node --perf-basic-prof leaves a log where it is started.
  const folder = mkdtempSync(join(tmpdir(), 'tracewright-spin-'));
  const spin = ['--perf-basic-prof', resolve('test/live/programs/spin.mjs')];
  const child = spawn(process.execPath, spin, { stdio: 'ignore', cwd: folder });
  try {
    await delay(1000);
    const shape = {
      sample_rate_hz: 199,
      include_kernel: true,
      output_format: 'collapsed' as const,
    };
    const query = { duration_seconds: 2, pid: child.pid ?? 0, ...shape };
    const { data } = await collectCpuProfile(ctx, query, call);
    const [first] = data.top_functions ?? [];
    expect(first?.symbol).toContain('hotspin');
    expect(first?.percent).toBeGreaterThan(75);
    expect(first?.percent).toBeLessThan(98);
    expect(data.collapsed?.[0]).toMatch(/;[^;]*hotspin[^;]* \d+$/);
    expect(data.kernel_percent).toBeLessThan(25);
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
    rmSync(`/tmp/perf-${child.pid}.map`, { force: true });
  }
});

test('busy threads are told from idle ones, and times add up to the window', async () => {
  const child = spawn(process.execPath, ['test/live/programs/threads.mjs'], { stdio: 'ignore' });
  try {
    const pid = child.pid ?? 0;
    // Its workers run once it has used a second of CPU time.
    const ticks = (): number => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[13]);
    await expect.poll(ticks, { timeout: 15_000 }).toBeGreaterThan(100);
    const query = { pid, duration_seconds: 1, include_offcpu: false };
    const { data, window_ms = 0 } = await collectThreadProfile(ctx, query, call);
    const [first, second, third] = data.threads;
    const busy = [first, second].flatMap((row) => row ?? []);
    for (const { cpu_total_percent } of busy) {
      expect(cpu_total_percent).toBeGreaterThan(3 * (third?.cpu_total_percent ?? 0));
    }
    const sum = busy.reduce((total, row) => total + row.cpu_total_percent, 0);
    expect(sum).toBeGreaterThan(data.process_total.cpu_total_percent * 0.9);
    for (const row of data.threads) {
      const { cpu_total_percent, runqueue_wait_us, offcpu_time_us } = row;
      if (runqueue_wait_us === null || offcpu_time_us === null) continue;
      const told = (cpu_total_percent / 100) * window_ms * 1000 + runqueue_wait_us + offcpu_time_us;
      expect(told / (window_ms * 1000)).toBeCloseTo(1, 1);
    }
    const names = new Set(readdirSync(`/proc/${pid}/task`).map(Number));
    expect(data.process_total.total_threads).toBe(names.size);
    const switches = readFileSync(`/proc/${pid}/task/${busy[0]?.tid}/status`, 'utf8');
    const forced = Number(/^nonvoluntary_ctxt_switches:\s+(\d+)$/m.exec(switches)?.[1]);
    expect(busy[0]?.involuntary_ctx_switches).toBeLessThanOrEqual(forced);
  } finally {
    child.kill('SIGKILL');
  }
});
