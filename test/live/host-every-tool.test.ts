import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Program } from '../../allowlist/command.ts';
import { type Call, type Context, createContext } from '../../src/context.ts';
import { surface } from '../../src/surface.ts';
import { becomeNobody, becomeRoot, mayBecomeNobody } from '../as-nobody.ts';
import { noTracing } from './traced-load.ts';

vi.setConfig({ testTimeout: 60_000 });

const call: Call = { signal: new AbortController().signal, progress: () => {} };
const context = () => createContext({ daemon: false, readOnly: false });

/** A host on which programs with such names are not installed. */
function without(...names: readonly string[]): Context {
  const ctx = context();
  const find = (program: Program) =>
    names.some((name) => program.name.includes(name))
      ? ({ problem: 'missing', path: null } as const)
      : ctx.find(program);
  return { ...ctx, find };
}

/** All that measure; profile_view only looks at what they kept. */
const tools = surface
  .tools({ readOnly: false, toolsets: ['host'] })
  .filter(({ name }) => name.startsWith('perf_'));

/** The least work that a tool can be asked for; the process is this one. */
function leastFor(name: string): Record<string, unknown> {
  const tool = tools.find((each) => each.name === name);
  const takes = (field: string): boolean => field in (tool?.input.shape ?? {});
  return {
    ...(takes('duration_seconds') ? { duration_seconds: 1 } : {}),
    ...(name === 'perf_fd_trace' || name === 'perf_thread_profile' ? { pid: process.pid } : {}),
  };
}

/** Numbers of an answer that are zero, by where they stand. */
function zeros(value: unknown, path = ''): string[] {
  if (value === 0) return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => zeros(each, `${path}.${key}`));
}

const tracers = ['bpftrace', 'libbpf', 'BCC', 'perf'];
/** What is left of each tool where nothing can trace; null: nothing. */
const leftWithoutTracers: Readonly<Record<string, string | null>> = {
  perf_bio_latency: 'procfs',
  perf_file_trace: null,
  perf_dns_latency: null,
  perf_io_layers: 'procfs_only',
  perf_tcp_trace: null,
  perf_vfs_latency: null,
  perf_runq_latency: 'procfs',
  perf_syscall_count: null,
  perf_exec_trace: 'procfs',
  perf_offcpu_profile: 'procfs_sampling',
  perf_cpu_profile: 'procfs',
};

/** An answer that says what is missing, why, and what would help. */
async function honestAnswer(name: string, ctx: Context, more: object = {}) {
  const query = { ...leastFor(name), ...more };
  const reading = await tools.find((each) => each.name === name)?.invoke(query, ctx, call);
  if (!reading) throw new Error(`there is no ${name}`);
  const data: Readonly<Record<string, unknown>> = { ...reading.data };
  const gaps = reading.unavailable ?? [];
  expect(reading.summary.length).toBeGreaterThan(0);
  for (const { what, reason } of gaps) {
    expect(what).not.toBe('');
    expect(reason.length).toBeGreaterThan(10);
  }
  if ('method' in data && data['method'] === null) {
    expect(zeros(data)).toEqual([]);
    expect(gaps.length).toBeGreaterThan(0);
    expect(gaps.some(({ fix }) => fix !== null)).toBe(true);
  }
  return { data, gaps };
}

const names = tools.map(({ name }) => name);

describe('without any tracer', () => {
  test.concurrent.each(names)('%s answers, and with no false zero', async (name) => {
    const { data, gaps } = await honestAnswer(name, without(...tracers));
    if (!(name in leftWithoutTracers)) return;
    expect(data).toMatchObject({ method: leftWithoutTracers[name] });
    expect(gaps.length).toBeGreaterThan(0);
  });
});

describe('a read-only server', () => {
  test.concurrent.each(Object.keys(leftWithoutTracers))('%s attaches nothing', async (name) => {
    const ctx = { ...context(), settings: { daemon: false, readOnly: true } };
    const { data } = await honestAnswer(name, ctx);
    expect(data).toMatchObject({ method: leftWithoutTracers[name] });
  });
});

const why = mayBecomeNobody ? '' : ' (needs root, to become nobody)';
describe.skipIf(!mayBecomeNobody)(`as a user without rights${why}`, () => {
  beforeAll(becomeNobody);
  afterAll(becomeRoot);

  test.concurrent.each(names)('%s answers, and with no false zero', async (name) => {
    if (name === 'perf_fd_trace') {
      // Of a process of root: closed, and the error says what would help.
      const answer = honestAnswer(name, context(), { pid: 1 });
      await expect(answer).rejects.toMatchObject({
        code: 'CAPABILITY_MISSING',
        suggestion: expect.stringMatching(/as root/),
      });
      return;
    }
    const { data } = await honestAnswer(name, context());
    if (name in leftWithoutTracers) {
      expect(data).toMatchObject({ method: leftWithoutTracers[name] });
    }
  });
});

const hasTools = existsSync('/usr/sbin/biolatency');
const ladder = [
  ...(hasTools
    ? ([
        ['perf_bio_latency', ['bpftrace'], 'libbpf_biolatency'],
        ['perf_dns_latency', ['bpftrace'], 'libbpf_gethostlatency'],
      ] as const)
    : []),
  ['perf_bio_latency', ['libbpf', 'BCC'], 'bpftrace'],
  ['perf_dns_latency', ['libbpf', 'BCC'], 'bpftrace'],
  ['perf_tcp_trace', ['bpftrace'], null],
  ['perf_file_trace', ['bpftrace'], null],
  ['perf_vfs_latency', ['bpftrace'], null],
  ['perf_io_layers', ['bpftrace'], 'procfs_only'],
] as const;

describe.skipIf(noTracing !== '')(`with one program removed${noTracing}`, () => {
  test.each(ladder)('%s without %j goes on with %s', async (name, missing, method) => {
    const { data, gaps } = await honestAnswer(name, without(...missing));
    expect(data).toMatchObject({ method });
    const fixes = gaps.map(({ fix }) => fix).join(' ');
    if (method === null) expect(fixes).toContain('bpftrace');
  });
});
