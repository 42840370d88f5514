import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Program } from '../../allowlist/command.ts';
import { type Call, type Context, createContext } from '../../src/context.ts';
import type { Reading } from '../../src/reading.ts';
import { perfCpuProfile } from '../../src/tools/host/perf-cpu-profile.ts';
import { perfExecTrace } from '../../src/tools/host/perf-exec-trace.ts';
import { perfOffcpuProfile } from '../../src/tools/host/perf-offcpu-profile.ts';
import { perfRunqLatency } from '../../src/tools/host/perf-runq-latency.ts';
import { perfSyscallCount } from '../../src/tools/host/perf-syscall-count.ts';
import { perfThreadProfile } from '../../src/tools/host/perf-thread-profile.ts';
import { becomeNobody, becomeRoot, mayBecomeNobody } from '../as-nobody.ts';
import { endLoads, load, noTracing } from './traced-load.ts';

const call: Call = { signal: new AbortController().signal, progress: () => {} };
// A busy host takes seconds until bpftrace watches, and seconds until it has ended.
vi.setConfig({ testTimeout: 60_000 });
afterEach(endLoads);

/** A host on which some programs are not installed. */
function without(names: readonly string[], parts: Partial<Context> = {}): Context {
  const ctx = { ...createContext({ daemon: false, readOnly: false }), ...parts };
  const find = (program: Program) =>
    names.some((name) => program.name.includes(name))
      ? ({ problem: 'missing', path: null } as const)
      : ctx.find(program);
  return { ...ctx, find };
}

type Data = Readonly<{ method: string | null; skipped_methods?: readonly { reason: string }[] }>;

const second = { duration_seconds: 1 };
const tools = [
  { tool: perfRunqLatency, last: 'procfs' },
  { tool: perfSyscallCount, last: null },
  { tool: perfExecTrace, last: 'procfs' },
  { tool: perfOffcpuProfile, last: 'procfs_sampling' },
  { tool: perfCpuProfile, last: 'procfs' },
] as const;

/** Numbers that are 0 where nothing was measured would be lies. */
function expectHonest(reading: Reading<object>, method: string | null): void {
  const { data, unavailable = [], summary } = reading;
  expect(data).toMatchObject({ method });
  expect(summary.length).toBeGreaterThan(0);
  const nulls = Object.values(data).filter((value) => value === null);
  if (nulls.length > 0) expect(unavailable.length).toBeGreaterThan(0);
  for (const { reason } of unavailable) expect(reason.length).toBeGreaterThan(10);
}

const answer = async (tool: (typeof tools)[number]['tool'], ctx: Context) => {
  const reading = await tool.invoke(second, ctx, call);
  return { reading, data: reading.data as unknown as Data };
};

describe.each(tools)('$tool.name without programs', ({ tool, last }) => {
  test('answers from the kernel’s files, and says what each program would need', async () => {
    const ctx = without(['bpftrace', 'libbpf', 'BCC', 'perf']);
    const { reading, data } = await answer(tool, ctx);
    expectHonest(reading, last);
    for (const { reason } of data.skipped_methods ?? []) expect(reason).toContain('not installed');
    expect(data.skipped_methods?.length).toBeGreaterThan(1);
  });

  test('a read-only server attaches nothing', async () => {
    const ctx = { ...without([]), settings: { daemon: false, readOnly: true } };
    const { reading, data } = await answer(tool, ctx);
    expectHonest(reading, last);
    for (const { reason } of data.skipped_methods ?? []) expect(reason).toContain('read-only');
  });
});

const why = mayBecomeNobody ? '' : ' (needs root, to become nobody)';

describe.skipIf(!mayBecomeNobody)(`as a user without rights${why}`, () => {
  test.each(tools)(
    '$tool.name answers, with what it takes to know more',
    async ({ tool, last }) => {
      becomeNobody();
      try {
        const ctx = createContext({ daemon: false, readOnly: false });
        const { reading, data } = await answer(tool, ctx);
        expectHonest(reading, last);
        const reasons = (data.skipped_methods ?? []).map(({ reason }) => reason).join(' ');
        expect(reasons).toMatch(/Only root|for root|not installed/);
      } finally {
        becomeRoot();
      }
    },
  );

  test('perf_thread_profile tells the threads of a process of root', async () => {
    const { pid } = await load('sh', '-c', 'echo ready; while :; do :; done');
    becomeNobody();
    try {
      const ctx = createContext({ daemon: false, readOnly: false });
      const query = { pid, include_offcpu: true, ...second };
      const { data, unavailable } = await perfThreadProfile.invoke(query, ctx, call);
      expect(data).toMatchObject({ process_total: { total_threads: 1 }, threads: [{ tid: pid }] });
      expect(unavailable).not.toEqual([]);
    } finally {
      becomeRoot();
    }
  });
});

const ladder = [
  { tool: perfRunqLatency, missing: ['bpftrace', 'libbpf', 'BCC'], method: 'perf_sched' },
  { tool: perfSyscallCount, missing: ['bpftrace', 'libbpf', 'BCC'], method: 'perf_trace' },
  { tool: perfExecTrace, missing: ['bpftrace', 'libbpf', 'BCC'], method: 'perf_events' },
  { tool: perfOffcpuProfile, missing: ['bpftrace', 'libbpf', 'BCC'], method: 'perf_sched' },
  { tool: perfCpuProfile, missing: ['perf'], method: 'bpftrace' },
] as const;

describe.skipIf(noTracing !== '')(`with some programs${noTracing}`, () => {
  test.each(ladder)('$tool.name goes on with $method', async ({ tool, missing, method }) => {
    await load('sh', '-c', 'echo ready; while :; do sleep 0.01; done');
    const { reading, data } = await answer(tool, without(missing));
    const broken = data.skipped_methods?.filter(({ reason }) => !reason.includes('not installed'));
    expect(broken).toEqual([]);
    expect(data.method).toBe(method);
    expect(reading.window_ms).toBeGreaterThan(500);
  });

  test('a second tracer of the kind is told how long the first one takes', async () => {
    const ctx = createContext({ daemon: false, readOnly: false });
    const first = perfRunqLatency.invoke(second, ctx, call);
    await expect(perfRunqLatency.invoke(second, ctx, call)).rejects.toMatchObject({
      code: 'PROFILER_BUSY',
      suggestion: expect.stringMatching(/^Call again in [1-4] s\.$/),
    });
    await expect(first).resolves.toMatchObject({ data: { method: 'bpftrace' } });
    await expect(perfRunqLatency.invoke(second, ctx, call)).resolves.toBeTruthy();
  });

  test('a canceled trace ends its tracer', async () => {
    const ctx = createContext({ daemon: false, readOnly: false });
    const aborter = new AbortController();
    const progress = (message: string): void => {
      if (message.startsWith('watching')) aborter.abort();
    };
    const started = Date.now();
    const long = perfRunqLatency.invoke({ duration_seconds: 30 }, ctx, {
      signal: aborter.signal,
      progress,
    });
    await expect(long).rejects.toMatchObject({ name: 'AbortError' });
    expect(Date.now() - started).toBeLessThan(15_000);
  });
});
