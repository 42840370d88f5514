import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Command } from '../../allowlist/command.ts';
import { type ChosenFunctions, chooseFunctions } from '../../src/collectors/function-choice.ts';
import { traceKernelFunctions } from '../../src/collectors/function-trace.ts';
import type { FunctionListing } from '../../src/collectors/kernel-functions.ts';
import { loadCapture } from '../../src/collectors/profile-captures.ts';
import type { Context } from '../../src/context.ts';
import { toTracewrightError } from '../../src/errors.ts';
import { foldedText } from '../../src/profiles/folded-text.ts';
import { fakeBpftrace } from '../fake-bpftrace.ts';
import { btfOf } from '../fake-btf.ts';
import { call, fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';

const tracefs = 'sys/kernel/tracing';
const kernel = {
  [`${tracefs}/available_events`]: 'sched:sched_switch\n',
  [`${tracefs}/available_filter_functions`]:
    'tcp_sendmsg\ntcp_sendpage\nhrtimer_nanosleep\ntwice\ntwice\next4_readdir [ext4]\n_raw_spin_lock\nlisted_but_refused\n',
  [`${tracefs}/kprobe_events`]: '',
  'sys/kernel/debug/kprobes/blacklist': '0xffff0-0xffff8\tlisted_but_refused\n',
  'proc/self/status': 'CapEff:\t000001ffffffffff\n',
  'proc/42/status': 'Name:\tapp\nTgid:\t42\nPid:\t42\n',
  'proc/42/comm': 'app\n',
};
const query = { functions: ['hrtimer_nanosleep'], mode: 'count', duration_s: 2 } as const;

type Answers = (command: Command, program: string) => { stdout?: string; stderr?: string };

const recorded = (name: string): string =>
  readFileSync(`fixtures/function-trace/${name}.k6.18.15+deb13.bpftrace-0.23.2/input.txt`, 'utf8');

function host(answers: Answers, parts: Partial<Context> = {}, files: HostFilesNow = {}) {
  const programs: string[] = [];
  const { parts: fakes } = fakeBpftrace([]);
  const finished = { stderr: '', exit_code: 0, signal: null, duration_ms: 1 } as const;
  const ctx = scriptedContext(fakeHost({ ...kernel, ...files }), [], {
    ...fakes,
    scratch: {
      ...fakes.scratch,
      write(name, text) {
        programs.push(text);
        return `/tmp/${name}`;
      },
    },
    script: (name) => ({ path: name, text: readFileSync(`scripts/bpftrace/${name}.bt`, 'utf8') }),
    run(command, options) {
      const isVersion = command.args.join() === '--version';
      const { stdout = '', stderr = '' } = isVersion
        ? { stdout: 'bpftrace v0.23.2' }
        : answers(command, programs.at(-1) ?? '');
      options?.onStdout?.(stdout);
      return Promise.resolve({ ...finished, stdout, stderr, stopped_by: 'exit' });
    },
    ...parts,
  });
  return { ctx, programs };
}

const attachPointsOf = (program: string | undefined) =>
  program?.split('\n').filter((line) => /^(?:fentry|fexit|k(?:ret)?probe):/.test(line));

async function refusal(work: Promise<unknown>) {
  const { code, message, suggestion } = toTracewrightError(await work.catch((thrown) => thrown));
  return { code, message, suggestion };
}

describe('an answer', () => {
  test('counts over the window that was really watched', async () => {
    const { ctx, programs } = host(() => ({ stdout: recorded('count-sleeps') }));
    const { data, window_ms, source } = await traceKernelFunctions(ctx, query, call);
    expect(window_ms).toBe(2000);
    expect(source).toContain('function-count.bt');
    expect(data.functions).toEqual([
      {
        function: 'hrtimer_nanosleep',
        module: null,
        attached: 'kprobe:hrtimer_nanosleep',
        calls: 8,
        calls_per_s: 4,
      },
    ]);
    expect(attachPointsOf(programs[0])).toEqual(['kprobe:hrtimer_nanosleep']);
  });

  test('measures latencies with their percentiles', async () => {
    const { ctx } = host(() => ({ stdout: recorded('latency-sleeps') }));
    const { data, unavailable } = await traceKernelFunctions(
      ctx,
      { ...query, mode: 'latency' },
      call,
    );
    expect(unavailable?.map(({ what }) => what)).toContain('exact percentiles');
    const { latency, calls } = data.functions[0] ?? {};
    expect(calls).toBe(9);
    expect(latency?.returned).toBe(8);
    expect(latency?.avg_ns).toBeCloseTo(200.4e6, -6);
    expect(latency?.max_ns).toBe(200718572);
    expect(latency?.histogram).toEqual([{ min_ns: 2 ** 27, max_ns: 2 ** 28 - 1, count: 8 }]);
    for (const ns of [latency?.p50_ns, latency?.p90_ns, latency?.p99_ns]) {
      expect(ns).toBeGreaterThanOrEqual(2 ** 27);
      expect(ns).toBeLessThanOrEqual(200718572);
    }
  });

  test.each(['stacks-sleeps', 'stacks-sleeps-kprobe'])(
    'names the callers, the nearest first, whatever the probe puts on the stack (%s)',
    async (name) => {
      const { ctx } = host(() => ({ stdout: recorded(name) }));
      const { data, summary } = await traceKernelFunctions(ctx, { ...query, mode: 'stacks' }, call);
      expect(data.callers?.[0]).toMatchObject({
        function: 'hrtimer_nanosleep',
        comm: 'sleep',
        calls_pct: 100,
        stack: [
          'common_nsleep',
          '__x64_sys_clock_nanosleep',
          'do_syscall_64',
          'entry_SYSCALL_64_after_hwframe',
        ],
      });
      expect(summary.join()).toContain('by sleep');
    },
  );

  test('keeps the ways into the functions, each function on top of its callers', async () => {
    const { ctx } = host(() => ({ stdout: recorded('stacks-sleeps') }));
    const { data, links } = await traceKernelFunctions(ctx, { ...query, mode: 'stacks' }, call);
    const { profile } = loadCapture(ctx, data.capture_id ?? '');
    expect(foldedText(profile)).toMatch(
      /^sleep;entry_SYSCALL_64_after_hwframe;do_syscall_64;__x64_sys_clock_nanosleep;common_nsleep;hrtimer_nanosleep \d+$/m,
    );
    expect(profile.total).toBe(data.functions[0]?.calls);
    expect(links?.[0]?.uri).toContain(data.capture_id);
  });

  test('has a row of zero for a function that nobody called', async () => {
    const { ctx } = host(() => ({ stdout: recorded('count-sleeps') }));
    const functions = ['hrtimer_nanosleep', 'tcp_sendmsg'];
    const { data } = await traceKernelFunctions(ctx, { ...query, functions }, call);
    expect(data.functions[1]).toMatchObject({ function: 'tcp_sendmsg', calls: 0, calls_per_s: 0 });
  });
});

describe('the probe', () => {
  const withBtf = (parameters: readonly string[]): Partial<Context> => {
    const bytes = btfOf('hrtimer_nanosleep', parameters);
    const { ctx } = host(() => ({}));
    return { files: { ...ctx.files, bytes: () => bytes } };
  };

  test('is fentry for a function that BTF describes', async () => {
    const { ctx, programs } = host(() => ({ stdout: recorded('count-sleeps') }), withBtf(['rqtp']));
    const { data } = await traceKernelFunctions(ctx, query, call);
    expect(data.functions[0]?.attached).toBe('fentry:vmlinux:hrtimer_nanosleep');
    expect(attachPointsOf(programs[0])).toEqual(['fentry:vmlinux:hrtimer_nanosleep']);
  });

  test('is a kprobe where the function has more parameters than bpftrace takes', async () => {
    const parts = withBtf(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    const { ctx } = host(() => ({ stdout: recorded('count-sleeps') }), parts);
    const { data } = await traceKernelFunctions(ctx, query, call);
    expect(data.functions[0]?.attached).toBe('kprobe:hrtimer_nanosleep');
  });

  test('is a kprobe where fentry fails, and the answer says why', async () => {
    const { ctx } = host(
      (_command, program) => {
        if (!program.includes('fentry:')) return { stdout: recorded('count-sleeps') };
        return { stderr: 'ERROR: Error loading BPF program for fentry_vmlinux_x. Use -v\n' };
      },
      withBtf(['rqtp']),
    );
    const { data, warnings } = await traceKernelFunctions(ctx, query, call);
    expect(data.functions[0]?.attached).toBe('kprobe:hrtimer_nanosleep');
    expect(warnings?.[0]).toContain('Error loading BPF program');
  });

  test('that cannot be attached at all is an error in the words of bpftrace', async () => {
    const said = 'cannot attach kprobe, Invalid argument\nERROR: Error attaching probe: kprobe:x\n';
    const { ctx } = host(() => ({ stderr: said }));
    const { code, message } = await refusal(traceKernelFunctions(ctx, query, call));
    expect(code).toBe('EXECUTION_FAILED');
    expect(message).toContain('kprobe:hrtimer_nanosleep');
    expect(message).toContain('cannot attach kprobe, Invalid argument');
  });

  test('watches one process where that is asked for', async () => {
    const words: string[] = [];
    const { ctx } = host((command) => {
      words.push(command.args.slice(-2).join(' '));
      return { stdout: recorded('count-sleeps') };
    });
    const { data } = await traceKernelFunctions(ctx, { ...query, pid: 42 }, call);
    expect(words).toEqual(['2000 42']);
    expect(data).toMatchObject({ pid: 42, comm: 'app' });
    const missing = await refusal(traceKernelFunctions(ctx, { ...query, pid: 43 }, call));
    expect(missing.code).toBe('PID_NOT_FOUND');
  });
});

describe('refused', () => {
  test('a kernel with neither kprobes nor fentry, before anything is started', async () => {
    const probe = '{"program_types":{"have_kprobe_prog_type":true,"have_tracing_prog_type":false}}';
    const { ctx, programs } = host(
      () => ({ stdout: probe }),
      {},
      {
        [`${tracefs}/kprobe_events`]: null,
        [`${tracefs}/available_filter_functions`]: null,
        'proc/kallsyms': 'ffff0 T hrtimer_nanosleep\n',
      },
    );
    const bytes = btfOf('hrtimer_nanosleep', ['rqtp']);
    const bare = { ...ctx, files: { ...ctx.files, bytes: () => bytes } };
    const { code, message } = await refusal(traceKernelFunctions(bare, query, call));
    expect(code).toBe('FEATURE_UNAVAILABLE');
    expect(message).toMatch(/kprobes.*type tracing/);
    expect(programs).toEqual([]);
  });

  test.each([
    ['another user than root', { uid: 1000 }, 'CAPABILITY_MISSING'],
    ['without bpftrace', { find: () => ({ problem: 'missing', path: null }) }, 'TOOL_NOT_FOUND'],
  ] as [string, Partial<Context>, string][])('%s', async (_why, parts, code) => {
    const { ctx } = host(() => ({}), parts);
    expect((await refusal(traceKernelFunctions(ctx, query, call))).code).toBe(code);
  });
});

describe('the choice of functions', () => {
  const listing = (functions: readonly string[]): FunctionListing => ({
    functions,
    refused: new Set(['listed_but_refused']),
    attach: 'kprobe',
    source: '',
    note: null,
    kprobes_available: true,
    fentry_available: null,
  });
  const ours = kernel[`${tracefs}/available_filter_functions`]?.trim().split('\n') ?? [];
  const choose = (wanted: readonly string[], all = ours): ChosenFunctions =>
    chooseFunctions(wanted, 'count', listing(all));
  const problem = (wanted: readonly string[]) => {
    try {
      choose(wanted);
    } catch (thrown) {
      const { code, message, suggestion } = toTracewrightError(thrown);
      return { code, message, suggestion };
    }
    return null;
  };

  test('a pattern takes the first ten of those that may be traced', () => {
    const all = ['_raw_tcp', ...Array.from({ length: 14 }, (_, index) => `tcp_${index}`), 'udp_1'];
    const { names, expansion } = choose(['tcp_*'], all);
    expect(names).toEqual(Array.from({ length: 10 }, (_, index) => `tcp_${index}`));
    expect(expansion).toEqual({ pattern: 'tcp_*', matching: 14, refused: 0 });
    const locks = choose(['*raw_*'], ['_raw_spin_lock', 'tcp_raw_x']);
    expect(locks).toMatchObject({ names: ['tcp_raw_x'], expansion: { matching: 2, refused: 1 } });
  });

  test('a dot in a pattern is a dot', () => {
    expect(choose(['foo.*'], ['foo.isra.0', 'fooxisra']).names).toEqual(['foo.isra.0']);
  });

  test('functions of modules and names that several have are known as such', () => {
    const { modules, ambiguous } = choose(['ext4_readdir', 'twice']);
    expect([...modules]).toEqual([['ext4_readdir', 'ext4']]);
    expect(ambiguous).toEqual(['twice']);
  });

  test.each([
    [['nosuch_function'], 'INVALID_PARAMS', /no traceable function/, /match=nosuch_function/],
    [['a b'], 'INVALID_PARAMS', /not a function name/, /tcp_sendmsg/],
    [['tcp_*', 'vfs_read'], 'INVALID_PARAMS', /stands alone/, /one pattern/],
    [['*'], 'INVALID_PARAMS', /at least 3 letters/, /./],
    [['a*b*c*d*'], 'INVALID_PARAMS', /up to 3/, /./],
    [['nothing_*'], 'INVALID_PARAMS', /no function fits/, /match=nothing_/],
    [['_raw_spin_lock'], 'NOT_ALLOWED', /lock/, /start_perf_profiling/],
    [['_raw_spin*'], 'NOT_ALLOWED', /never traced/, /./],
    [['listed_but_refused'], 'NOT_ALLOWED', /kernel refuses/, /./],
  ])('%j is refused with the way out', (wanted, code, message, suggestion) => {
    const refused = problem(wanted);
    expect(refused?.code).toBe(code);
    expect(refused?.message).toMatch(message);
    expect(refused?.suggestion).toMatch(suggestion);
  });
});
