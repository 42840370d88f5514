import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { rankSymbols } from '../../src/analysis/profile-symbols.ts';
import { collectProfileResults, type ResultsQuery } from '../../src/collectors/profile-results.ts';
import type { ProfileConfig } from '../../src/collectors/profile-session.ts';
import {
  currentSession,
  profilingStatus,
  startProfiling,
  stopProfiling,
} from '../../src/collectors/profiler.ts';
import { readRecording } from '../../src/collectors/recorded-profile.ts';
import { type Call, createContext } from '../../src/context.ts';
import { callTool } from '../../src/tools/call.ts';
import { getPerfResults } from '../../src/tools/scheduler/get-perf-results.ts';
import { killProcess } from '../kill-process.ts';
import { cpuTime, hasRun, noisePct } from './cpu-time.ts';
import { type Started, startedBy, written } from './started.ts';

const hasPerf = existsSync('/usr/bin/perf');
const isRoot = process.geteuid?.() === 0;
const why = `${hasPerf ? '' : ' (needs perf)'}${isRoot ? '' : ' (needs root)'}`;
const hasCounters = readdirSync('/sys/bus/event_source/devices').some((name) =>
  /^(cpu|armv)/.test(name),
);

/** node --perf-basic-prof leaves a log where it is started. */
const folder = mkdtempSync(join(tmpdir(), 'tracewright-profiler-'));

const ctx = createContext({
  daemon: false,
  readOnly: false,
  stateFolder: join(folder, 'state'),
});
const call: Call = { signal: new AbortController().signal, progress: () => {} };
const query: ResultsQuery = { limit: 50, offset: 0, include_stacks: true, sort: 'self' };
const wanted: ProfileConfig = {
  event: 'hw:cpu-clock',
  freq: 199,
  cpu: -1,
  pid: -1,
  max_samples: 0,
  duration_secs: 1,
};

/** Loads of a test; they end with it. */
const pids: number[] = [];
function load(program: string, ...args: string[]): number {
  const { pid = 0 } = spawn(program, args, { cwd: folder, stdio: 'ignore' });
  pids.push(pid);
  return pid;
}
async function node(name: string): Promise<number> {
  const pid = load(
    process.execPath,
    '--perf-basic-prof',
    resolve(`test/live/programs/${name}.mjs`),
  );
  // Its loops are compiled by then.
  await hasRun(pid, 300);
  return pid;
}
afterEach(async () => {
  for (const pid of pids.splice(0)) {
    if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
    rmSync(`/tmp/perf-${pid}.map`, { force: true });
  }
  await currentSession(ctx)?.done;
});
afterAll(() => {
  for (const path of [folder, dirname(ctx.scratch.path('x'))]) rmSync(path, { recursive: true });
});

const perfs = (): readonly Started[] =>
  startedBy(process.pid).filter(({ comm }) => comm === 'perf');

/** Starts, waits for the end by itself, and reads. */
async function profile(config: Partial<ProfileConfig>) {
  await startProfiling(ctx, { ...wanted, ...config }, call);
  await currentSession(ctx)?.done;
  return await collectProfileResults(ctx, query, call);
}

describe.skipIf(!hasPerf || !isRoot)(`a stack profile${why}`, () => {
  test('names the hot function of a busy program, its callers and its share', async () => {
    const pid = await node('spin');
    const before = cpuTime(pid);
    const { data, window_ms = 0, summary } = await profile({ pid, duration_secs: 3 });
    const after = cpuTime(pid);
    const [first] = data.symbols ?? [];
    expect(first?.symbol).toMatch(/^JS:\*hotspin /);
    const { user_pct, total_samples } = data;
    const samples = total_samples ?? 0;
    // As the program is written, it spends 9 parts of 10 there, and nearly all in these two.
    const of = (name: string): number =>
      data.symbols?.find(({ symbol }) => symbol.startsWith(`JS:*${name} `))?.percentage ?? 0;
    const both_pct = of('hotspin') + of('coolspin');
    expect(both_pct).toBeGreaterThan((user_pct ?? 100) - noisePct(98, samples));
    expect(Math.abs((100 * of('hotspin')) / both_pct - 90)).toBeLessThan(noisePct(90, samples));
    expect(first).toMatchObject({ pid, is_kernel: false, file: null, layer_id: null });
    expect(first?.stack_traces?.[0]?.user_stack[0]).toContain('hotspin');
    expect(summary.join('\n')).toContain('hotspin');
    // The kernel samples, too, at its own ticks.
    const user = after.user - before.user;
    const ticks = user + after.kernel - before.kernel;
    const said_pct = (100 * user) / ticks;
    expect(Math.abs((user_pct ?? 0) - said_pct)).toBeLessThan(noisePct(said_pct, samples, ticks));
    // A clock of 199 Hz on one busy thread, less what others take of the CPU.
    expect(data.total_samples).toBeLessThanOrEqual(1.1 * 199 * (window_ms / 1000));
    expect(window_ms).toBeGreaterThanOrEqual(3000);
    expect(window_ms).toBeLessThan(3300);
    const { data: one } = await collectProfileResults(ctx, { ...query, symbol: 'coolspin' }, call);
    expect(one.call_tree?.lines[0]).toContain('coolspin');
    expect(one.call_tree?.lines[1]).toMatch(/outer|InterpreterEntryTrampoline/);
  });

  test('agrees with perf report on the same recording', async () => {
    const pid = await node('spin');
    load('dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1');
    const file = join(folder, 'perf.data');
    try {
      execFileSync('perf', [
        'record',
        '-q',
        '-B',
        '-N',
        '-g',
        '-a',
        '-e',
        'cpu-clock',
        '-F',
        '499',
        '-o',
        file,
        '--',
        'sleep',
        '2',
      ]);
      expect(existsSync(`/tmp/perf-${pid}.map`)).toBe(true);
      const { profile: model } = await readRecording(ctx, file, 0);
      const ours = rankSymbols(model, 'self').map(({ symbol, self, total }) => {
        const { symbol: name = '', module = '' } = model.symbols[symbol] ?? {};
        return {
          name,
          module,
          self_pct: (100 * self) / model.total,
          total_pct: (100 * total) / model.total,
        };
      });
      const checked = reported(file).filter(({ self, name }) => self > 1 && !name.startsWith('0x'));
      expect(checked.length).toBeGreaterThan(2);
      for (const row of checked) {
        const same = ours.find(
          ({ name, module }) => name === row.name && isModule(module, row.module),
        );
        expect([row, same?.self_pct]).toEqual([row, expect.closeTo(row.self, 0)]);
        expect(Math.abs((same?.total_pct ?? 0) - row.children)).toBeLessThan(2);
      }
    } finally {
      rmSync(file, { force: true });
    }
  });

  test('ends by itself and leaves no perf and no file behind', async () => {
    await startProfiling(ctx, wanted, call);
    expect(perfs()).toHaveLength(1);
    const file = written(ctx.scratch.path('profile.data'), 'profile.data');
    expect(existsSync(file)).toBe(true);
    const running = await collectProfileResults(ctx, query, call);
    expect(running.data).toMatchObject({ symbols: null, status: 'Running' });
    expect(running.unavailable?.[0]?.reason).toMatch(/still runs, for [01] s/);
    await currentSession(ctx)?.done;
    expect(perfs()).toEqual([]);
    expect(existsSync(file)).toBe(false);
    const { data } = await profilingStatus(ctx);
    expect(data).toMatchObject({ status: 'Stopped', stopped_by: 'duration', results_ready: true });
    await delay(50);
    expect((await profilingStatus(ctx)).data.duration_ms).toBe(data.duration_ms);
    const { data: stopped, summary } = await stopProfiling(ctx, call);
    expect(stopped.stopped_by).toBe('duration');
    expect(summary[0]).toContain('already ended');
  });

  test('is cut to exactly max_samples', async () => {
    const pid = await node('spin');
    const { data, warnings } = await profile({
      pid,
      freq: 999,
      max_samples: 150,
      duration_secs: 20,
    });
    expect([data.samples_collected, data.total_samples]).toEqual([150, 150]);
    expect(data.by_process?.reduce((sum, { count }) => sum + count, 0)).toBe(150);
    expect((await profilingStatus(ctx)).data.stopped_by).toBe('max_samples');
    expect(warnings?.some((warning) => warning.includes('The first 150 of'))).toBe(true);
    // One busy thread at 999 Hz; the others of the process add a few samples.
    expect(data.window_ms).toBeGreaterThanOrEqual(100);
  });

  test('counts live what perf script finds in the end', async () => {
    const pid = await node('spin');
    await startProfiling(ctx, { ...wanted, pid, freq: 999 }, call);
    await delay(500);
    const { data: live } = await profilingStatus(ctx);
    expect(live.samples_collected).toBeGreaterThan(50);
    await stopProfiling(ctx, call);
    const session = currentSession(ctx);
    const recorded =
      session?.outcome && 'recorded' in session.outcome ? session.outcome.recorded : null;
    expect(session?.counts.samples).toBe(recorded?.samples);
  });

  test('tells the time of the kernel from that of the program', async () => {
    const pid = load('dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1');
    const { data } = await profile({ pid, event: 'sw:cpu-clock' });
    expect(data.kernel_pct).toBeGreaterThan(60);
    expect((data.kernel_pct ?? 0) + (data.user_pct ?? 0)).toBeCloseTo(100, 1);
    const kernel = data.symbols?.find(({ is_kernel }) => is_kernel);
    expect(kernel?.stack_traces?.[0]?.kernel_stack.at(-1)).toMatch(/entry_SYSCALL|el0|syscall/);
  });

  test('covers threads that the process starts later', async () => {
    const pid = load(
      process.execPath,
      '--perf-basic-prof',
      resolve('test/live/programs/threads.mjs'),
    );
    const { data } = await profile({ pid, duration_secs: 2 });
    const names = (data.symbols ?? [])
      .slice(0, 10)
      .map(({ symbol }) => symbol)
      .join('\n');
    expect(names).toMatch(/spinone/);
    expect(names).toMatch(/spintwo/);
    expect(data.by_process?.find((row) => row.pid === pid)?.threads).toBeGreaterThanOrEqual(2);
  });

  test('records every event of a tracepoint, and tracefs stays as it was', async () => {
    const mounts = (): string => readFileSync('/proc/mounts', 'utf8');
    const before = mounts();
    const { data, warnings } = await profile({ event: 'tracepoint:sched:sched_switch' });
    expect(data.freq_hz).toBeNull();
    expect(data.total_samples).toBeGreaterThan(10);
    expect(data.symbols?.[0]?.stack_traces?.[0]?.kernel_stack.join(' ')).toContain('schedule');
    expect(warnings?.join(' ')).toContain('freq is not used');
    expect((await profilingStatus(ctx)).data.mode).toBe('tracing');
    expect(mounts()).toBe(before);
  });

  test.skipIf(hasCounters)('falls back to the clock without counters, and says so', async () => {
    const { data, warnings } = await profile({ event: 'hw:branches' });
    expect(data).toMatchObject({ event: 'sw:cpu-clock', requested_event: 'hw:branches' });
    expect(warnings?.join(' ')).toContain('no counter hw:branches');
  });

  test('of one CPU is of that CPU', async () => {
    const { data } = await profile({ cpu: 0 });
    expect(data.by_cpu?.map(({ cpu }) => cpu)).toEqual([0]);
  });

  test('is one at a time', async () => {
    await startProfiling(ctx, wanted, call);
    await expect(startProfiling(ctx, wanted, call)).rejects.toMatchObject({
      code: 'PROFILER_BUSY',
      message: expect.stringMatching(/ends in \d s/),
    });
    const { data } = await stopProfiling(ctx, call);
    expect(data.stopped_by).toBe('request');
  });

  test('ends with the process that it watches', async () => {
    const pid = load('sleep', '2');
    await startProfiling(ctx, { ...wanted, pid, duration_secs: 20 }, call);
    await currentSession(ctx)?.done;
    const { data } = await profilingStatus(ctx);
    expect(data).toMatchObject({ status: 'Stopped', stopped_by: 'target_exit' });
    expect(data.duration_ms).toBeLessThan(5000);
  });

  test('whose perf is killed says so, and the next one works', async () => {
    await startProfiling(ctx, { ...wanted, duration_secs: 20 }, call);
    const file = written(ctx.scratch.path('profile.data'), 'profile.data');
    expect(existsSync(file)).toBe(true);
    killProcess(currentSession(ctx)?.recorder.pid);
    await currentSession(ctx)?.done;
    expect((await profilingStatus(ctx)).data).toMatchObject({
      stopped_by: 'killed',
      results_ready: false,
    });
    await expect(collectProfileResults(ctx, query, call)).rejects.toMatchObject({
      code: 'EXECUTION_FAILED',
    });
    expect(existsSync(file)).toBe(false);
    expect((await profile({})).data.total_samples).toBeGreaterThan(0);
  });

  test('that is canceled while it starts leaves nothing behind', async () => {
    const canceling = new AbortController();
    const starting = startProfiling(ctx, wanted, { signal: canceling.signal, progress: () => {} });
    canceling.abort();
    await expect(starting).rejects.toMatchObject({ name: 'AbortError' });
    expect(perfs()).toEqual([]);
    expect(existsSync(written(ctx.scratch.path('profile.data'), 'profile.data'))).toBe(false);
  });

  test('answers within the size that a model can read', async () => {
    await node('spin');
    load('find', '/usr', '-name', 'x*', '-newer', '/etc/passwd');
    await profile({ freq: 4999 });
    const answer = await callTool(getPerfResults, {}, ctx, call);
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(36_000);
    const next = await callTool(getPerfResults, { offset: 50, limit: 5 }, ctx, call);
    expect(next.data).toMatchObject({ symbols: expect.any(Array) });
  });
});

/** perf report calls the map of a JIT `[JIT] tid 123`. */
const isModule = (ours: string, theirs: string): boolean =>
  ours.endsWith(theirs) || (theirs.startsWith('[JIT]') && ours.startsWith('/tmp/perf-'));

type Reported = Readonly<{ children: number; self: number; module: string; name: string }>;

/** What perf report says of each function. */
function reported(file: string): Reported[] {
  const args = [
    'report',
    '-i',
    file,
    '--stdio',
    '--no-inline',
    '--children',
    '-g',
    'none',
    '--percent-limit',
    '0',
  ];
  const text = execFileSync(
    'perf',
    [...args, '-F', 'overhead_children,overhead,dso,sym', '-t', '|', '-q'],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return text.split('\n').flatMap((line) => {
    const [children = '', self = '', module = '', name = ''] = line
      .split('|')
      .map((cell) => cell.trim());
    if (!children.endsWith('%')) return [];
    return [
      {
        children: Number.parseFloat(children),
        self: Number.parseFloat(self),
        module,
        name: name.replace(/^\[.\] /, ''),
      },
    ];
  });
}
