import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { eventName, parseProfileEvent } from '../../src/collectors/profile-event.ts';
import { collectProfileResults } from '../../src/collectors/profile-results.ts';
import type { ProfileConfig } from '../../src/collectors/profile-session.ts';
import { profilingStatus, startProfiling, stopProfiling } from '../../src/collectors/profiler.ts';
import type { Context } from '../../src/context.ts';
import { toTracewrightError } from '../../src/errors.ts';
import type { Running } from '../../src/exec/start.ts';
import { ended } from '../ended.ts';
import { call, fakeHost, scriptedContext } from '../fake-host.ts';

const wanted: ProfileConfig = {
  event: 'hw:cpu-clock',
  freq: 99,
  cpu: -1,
  pid: -1,
  max_samples: 10_000,
  duration_secs: 1,
};
const query = { limit: 50, offset: 0, include_stacks: true, sort: 'self' } as const;

const status_1234 = 'Name:\tapp\nTgid:\t1234\nPid:\t1234\nUid:\t1000\t1000\t1000\t1000\n';
const host = {
  'proc/1234/status': status_1234,
  'proc/1234/comm': 'app\n',
  'proc/1240/status': 'Name:\tworker\nTgid:\t1234\nPid:\t1240\n',
  'proc/self/status': 'CapEff:\t0000000000000000\n',
  'proc/sys/kernel/perf_event_paranoid': '2\n',
  'proc/sys/kernel/perf_event_max_sample_rate': '4000\n',
  'sys/devices/system/cpu/online': '0-3\n',
};

const scratch: Context['scratch'] = {
  path: (name) => `/tmp/tracewright-test/${name}`,
  write: (name) => `/tmp/tracewright-test/${name}`,
  readFrom: () => Promise.resolve(new Uint8Array()),
  remove: () => undefined,
};

/** A perf that says these words and ends, and what it was called with. */
function refusingPerf(stderr: string, uid = 1000) {
  const called: (readonly string[])[] = [];
  const start: Context['start'] = ({ args }) => {
    called.push(args);
    const running: Running = {
      pid: 1,
      finished: Promise.resolve({ ...ended, stderr, exit_code: 255 }),
      printMaps: () => {},
      stop: () => undefined,
      control: () => new PassThrough(),
    };
    return Promise.resolve(running);
  };
  return { ctx: scriptedContext(fakeHost(host), [], { uid, start, scratch }), called };
}

async function refusal(config: Partial<ProfileConfig>, stderr = '', uid = 1000) {
  const { ctx, called } = refusingPerf(stderr, uid);
  const thrown: unknown = await startProfiling(ctx, { ...wanted, ...config }, call).catch(
    (error) => error,
  );
  const { code, message, suggestion } = toTracewrightError(thrown);
  return { code, message, suggestion, called };
}

describe('an event', () => {
  test.each([
    ['hw:cpu-clock', 'sw:cpu-clock'],
    ['cpu-clock', 'sw:cpu-clock'],
    ['sw:task-clock', 'sw:task-clock'],
    ['cs', 'sw:cs'],
    ['hw:cycles', 'hw:cycles'],
    ['branch-misses', 'hw:branch-misses'],
    ['tracepoint:sched:sched_switch', 'tracepoint:sched:sched_switch'],
    ['sched:sched_switch', 'tracepoint:sched:sched_switch'],
  ])('%s is %s', (text, name) => {
    expect(eventName(parseProfileEvent(text).event)).toBe(name);
  });

  test('called hw:cpu-clock is said to be the clock of the kernel', () => {
    expect(parseProfileEvent('hw:cpu-clock').notes).toHaveLength(1);
    expect(parseProfileEvent('sw:cpu-clock').notes).toHaveLength(0);
  });

  test.each([
    '',
    'hw:',
    'hw:nope',
    'sw:cycles',
    'nope',
    'a:b:c',
    'tracepoint:sched',
    'sched:a b',
    '-e:x',
    'sched:$(id)',
    'a\nb:c',
  ])('%j is refused before anything is started', async (event) => {
    const { code, suggestion, called } = await refusal({ event });
    expect([code, called]).toEqual(['INVALID_PARAMS', []]);
    expect(suggestion).toContain('cpu-clock');
  });
});

describe('a start is refused', () => {
  test('for a counter with a modifier, which would pass for a tracepoint', async () => {
    expect(await refusal({ event: 'cycles:u' })).toMatchObject({ code: 'NOT_ALLOWED', called: [] });
  });

  test.each([
    ['for a process that is not there', { pid: 77 }, 'PID_NOT_FOUND', 'aggregated/process'],
    ['for a CPU that is not online', { cpu: 9 }, 'INVALID_PARAMS', '0-3'],
    ['for a CPU and a process at once', { cpu: 1, pid: 1234 }, 'INVALID_PARAMS', 'leave the other'],
    [
      'above the rate of the kernel',
      { freq: 5000 },
      'INVALID_PARAMS',
      'perf_event_max_sample_rate=5000',
    ],
  ] as const)('%s', async (_name, config, code, suggestion) => {
    const refused = await refusal(config);
    expect(refused).toMatchObject({ code, called: [] });
    expect(refused.suggestion).toContain(suggestion);
  });

  const limited =
    'Error:\nAccess to performance monitoring and observability operations is limited.\n';
  test.each([
    ['whole CPUs to a user', {}, limited, 1000, 'PERMISSION_DENIED', 'perf_event_paranoid=0'],
    [
      'somebody else’s process',
      { pid: 1234 },
      limited,
      1000,
      'PERMISSION_DENIED',
      'sudo tracewright mcp',
    ],
    [
      'trace events to a user',
      { event: 'sched:sched_switch' },
      "event syntax error: 'sched:sched_switch'\n can't access trace events\nError: No permissions to read /sys/kernel/tracing/events",
      1000,
      'PERMISSION_DENIED',
      'sudo tracewright mcp',
    ],
    ['root without capabilities', {}, limited, 0, 'CAPABILITY_MISSING', '--cap-add PERFMON'],
    [
      'a trace event that the kernel lacks',
      { event: 'nosuch:thing' },
      "event syntax error: 'nosuch:thing'\n \\___ unknown tracepoint\nError:\tFile /sys/kernel/tracing/events/nosuch/thing not found.\n",
      0,
      'INVALID_PARAMS',
      'list_events',
    ],
    [
      'a process that has just ended',
      { pid: 1234 },
      "Couldn't create thread/CPU maps: No such process\n",
      0,
      'PID_NOT_FOUND',
      'aggregated/process',
    ],
    [
      'a perf without control pipes',
      {},
      "Error: unknown option `control'\n\n Usage: perf record [<options>]",
      0,
      'FEATURE_UNAVAILABLE',
      'newer',
    ],
    ['something unheard of', {}, 'bad weather', 0, 'EXECUTION_FAILED', 'doctor'],
  ] as const)('with the way out: %s', async (_name, config, stderr, uid, code, suggestion) => {
    const refused = await refusal(config, stderr, uid);
    expect(refused.code).toBe(code);
    expect(refused.suggestion).toContain(suggestion);
  });
});

describe('what perf is called with', () => {
  test('a counter that the machine lacks is tried, then the clock', async () => {
    const { called } = await refusal(
      { event: 'hw:branches' },
      'The branches event is not supported.',
    );
    expect(called.map((args) => args[args.indexOf('-e') + 1])).toEqual(['branches', 'cpu-clock']);
  });

  test('a user gets the user part of a process of their own, root everything', async () => {
    const event = (args: readonly string[] = []) => args[args.indexOf('-e') + 1];
    expect(event((await refusal({ pid: 1234 })).called[0])).toBe('cpu-clock:u');
    expect(event((await refusal({})).called[0])).toBe('cpu-clock');
  });

  test('the id of a thread stands for its process', async () => {
    const [args = []] = (await refusal({ pid: 1240 })).called;
    expect(args[args.indexOf('-p') + 1]).toBe('1234');
  });

  test('a tracepoint is recorded each time, at no frequency', async () => {
    const [args = []] = (await refusal({ event: 'sched:sched_switch' })).called;
    expect(args[args.indexOf('-c') + 1]).toBe('1');
    expect(args).not.toContain('-F');
  });
});

describe('without a profile', () => {
  const { ctx } = refusingPerf('');

  test('the status is Idle', async () => {
    const { data } = await profilingStatus(ctx);
    expect(data).toMatchObject({
      status: 'Idle',
      mode: 'sampling',
      samples_collected: 0,
      config: null,
    });
  });

  test('the results are absent with the reason', async () => {
    const { data, unavailable } = await collectProfileResults(ctx, query, call);
    expect([data.symbols, data.total_samples]).toEqual([null, null]);
    expect(unavailable?.[0]).toMatchObject({ what: 'symbols', fix: 'start_perf_profiling' });
  });

  test('there is nothing to stop', async () => {
    await expect(stopProfiling(ctx, call)).rejects.toMatchObject({
      code: 'INVALID_PARAMS',
      suggestion: expect.stringContaining('start_perf_profiling'),
    });
  });
});
