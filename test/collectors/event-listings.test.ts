import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { collectEventNames } from '../../src/collectors/event-names.ts';
import { kernelFunctions } from '../../src/collectors/kernel-functions.ts';
import { collectKprobeFunctions } from '../../src/collectors/kprobe-functions.ts';
import { collectPerfEvents } from '../../src/collectors/perf-events.ts';
import { call, fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';
import { fakePrograms } from '../fake-programs.ts';

const recorded = (format: string, name: string): string => {
  const folder = readdirSync(`fixtures/${format}`).find((each) => each.startsWith(name));
  return readFileSync(`fixtures/${format}/${folder}/input.txt`, 'utf8');
};

const available = recorded('available-events', 'all');
const perfTracepoints = recorded('perf-list', 'tracepoints');
const perfCounters = recorded('perf-list', 'hw-sw');
const noProbes = recorded('bpftool-feature', 'no-tracing');

const answers = (words: string): string | null => {
  if (words.includes('tracepoint')) return perfCounters + perfTracepoints;
  if (words.startsWith('perf list')) return perfCounters;
  return words.includes('feature') ? noProbes : null;
};

function host(files: HostFilesNow, uid = 0, asked: string[] = []) {
  return scriptedContext(fakeHost(files), [], { uid, ...fakePrograms(answers, asked) });
}

const all = { limit: 500, offset: 0 };
const tracefs = { 'sys/kernel/tracing/available_events': available };
const tokens = (value: unknown): number => Buffer.byteLength(JSON.stringify(value)) / 4;

describe('events://perf', () => {
  test('counts every subsystem, with the same total from tracefs as its file has lines', async () => {
    const reading = await collectPerfEvents(host(tracefs), all, call);
    const { subsystems, total_events, total_subsystems } = reading.data;
    expect(total_events).toBe(available.trim().split('\n').length);
    expect(subsystems).toHaveLength(total_subsystems ?? 0);
    expect(subsystems.reduce((sum, { count }) => sum + count, 0)).toBe(total_events);
    expect(reading.source).toBe('/sys/kernel/tracing/available_events');
    expect(tokens(reading)).toBeLessThan(10_000);
  });

  test('asks perf where tracefs is not mounted, and gets the same events and two of ftrace', async () => {
    const from = async (files: HostFilesNow) => {
      const { data } = await collectPerfEvents(host(files), { ...all, match: 'r' }, call);
      return data.total_events ?? 0;
    };
    expect((await from({})) - (await from(tracefs))).toBe(2);
  });

  test('names the events of a subsystem, sorted', async () => {
    const { data } = await collectPerfEvents(host(tracefs), { ...all, subsystem: 'sched' }, call);
    const lines = available.split('\n').filter((line) => line.startsWith('sched:'));
    const names = lines.map((line) => line.slice('sched:'.length)).sort();
    expect(data.subsystems).toEqual([{ subsystem: 'sched', count: names.length, events: names }]);
  });

  test('pages what matches without losing or repeating a name', async () => {
    const ctx = host(tracefs);
    const names: string[] = [];
    let offset: number | null = 0;
    while (offset !== null) {
      const query = { limit: 40, offset, match: 'READ' };
      const { data, next } = await collectPerfEvents(ctx, query, call);
      names.push(
        ...data.subsystems.flatMap(({ subsystem, events }) =>
          (events ?? []).map((event) => `${subsystem}:${event}`),
        ),
      );
      offset = next ? Number(new URL(next).searchParams.get('offset')) : null;
    }
    const expected = available.split('\n').filter((line) => line.includes('read'));
    expect(names.toSorted()).toEqual(expected.toSorted());
  });

  test('names every event where they fit', async () => {
    const few = {
      'sys/kernel/tracing/available_events': 'sched:sched_switch\nirq:softirq_entry\n',
    };
    const { data } = await collectPerfEvents(host(few), all, call);
    expect(data.subsystems).toEqual([
      { subsystem: 'irq', events: ['softirq_entry'], count: 1 },
      { subsystem: 'sched', events: ['sched_switch'], count: 1 },
    ]);
  });

  test('gives only the counters that profiling takes', async () => {
    const { data } = await collectPerfEvents(host(tracefs), all, call);
    expect(data.other.sw).toContain('sw:cpu-clock');
    expect(data.other.sw).not.toContain('sw:dummy');
    expect(data.other.hw).toEqual([]);
  });

  test('of a user who may not read tracefs is unavailable, not empty', async () => {
    const ctx = host({ 'proc/self/mountinfo': '1 1 0:1 / /t rw - tracefs t rw\n' }, 1000);
    const { data, unavailable } = await collectPerfEvents(ctx, all, call);
    expect(data.total_events).toBeNull();
    expect(unavailable?.[0]).toMatchObject({ reason: 'Only root may read tracefs.' });
  });

  test('without perf and tracefs names the command that mounts tracefs', async () => {
    const ctx = scriptedContext(fakeHost({ 'sys/kernel/tracing/.keep': '' }), [], {
      uid: 0,
      ...fakePrograms(() => null),
    });
    const { data, unavailable } = await collectPerfEvents(ctx, all, call);
    expect(data.total_events).toBeNull();
    expect(unavailable?.[0]?.fix).toBe('sudo mount -t tracefs nodev /sys/kernel/tracing');
  });

  test('keeps what perf listed for a minute', async () => {
    const asked: string[] = [];
    const ctx = host({}, 0, asked);
    await collectPerfEvents(ctx, all, call);
    ctx.pass(59_000);
    await collectPerfEvents(ctx, all, call);
    expect(asked).toHaveLength(1);
    ctx.pass(2000);
    await collectPerfEvents(ctx, all, call);
    expect(asked).toHaveLength(2);
  });
});

const functions = {
  'sys/kernel/tracing/available_events': '',
  'sys/kernel/tracing/available_filter_functions': 'vfs_read\nvfs_write\next4_readdir [ext4]\n',
  'sys/bus/event_source/devices/kprobe/type': '6\n',
};

describe('events://kprobe', () => {
  test('takes the list of ftrace and tells modules apart', async () => {
    const asked: string[] = [];
    const { data } = await collectKprobeFunctions(host(functions, 0, asked), all, call);
    expect(data).toEqual({
      functions: ['vfs_read', 'vfs_write', 'ext4_readdir'],
      count: 3,
      total: 3,
      modules: [{ function: 'ext4_readdir', module: 'ext4' }],
      attach: 'kprobe',
      kprobes_available: true,
      fentry_available: null,
      reason: null,
    });
    expect(asked).toEqual([]);
  });

  test('falls back to code symbols without what the kernel refuses to probe', async () => {
    const { data, source } = await collectKprobeFunctions(
      host({
        'proc/kallsyms':
          'ffffffff81000000 T vfs_read\nffffffff81000010 t do_int3\nffffffff81000020 T __pfx_vfs_read\nffffffff82000000 D jiffies\nffffffffc0000000 t ext4_readdir\t[ext4]\n',
        'sys/kernel/debug/kprobes/blacklist': '0xffffffff81000010-0xffffffff81000020\tdo_int3\n',
      }),
      all,
      call,
    );
    expect(source).toBe('/proc/kallsyms');
    expect(data.functions).toEqual(['vfs_read', 'ext4_readdir']);
    expect(data.reason).toContain('symbols');
  });

  test('takes the list of ftrace from a helper where it is for root alone', async () => {
    const words = (line: string) =>
      line === 'cat /sys/kernel/tracing/available_filter_functions'
        ? 'vfs_read\next4_readdir [ext4]\n'
        : line === 'cat /sys/kernel/debug/kprobes/blacklist'
          ? '0xffffffff81000010-0xffffffff81000020\tvfs_read\n'
          : null;
    const ctx = scriptedContext(fakeHost({ 'sys/kernel/tracing': null }), [], {
      uid: 1000,
      helper: { route: () => 'socket', problem: () => null },
      ...fakePrograms(words),
    });
    const listing = await kernelFunctions(ctx, call);
    expect(listing).toMatchObject({
      functions: ['vfs_read', 'ext4_readdir [ext4]'],
      refused: new Set(['vfs_read']),
      source: '/sys/kernel/tracing/available_filter_functions',
      note: null,
    });
  });

  test('of a host that shows none is unavailable, not empty', async () => {
    const { data, unavailable } = await collectKprobeFunctions(host({}), all, call);
    expect(data.total).toBeNull();
    expect(unavailable).toHaveLength(1);
  });

  test('stays below 10,000 tokens with 60,000 functions, whatever is asked', async () => {
    const names = Array.from({ length: 60_000 }, (_, index) => `some_long_function_name_${index}`);
    const ctx = host({
      ...functions,
      'sys/kernel/tracing/available_filter_functions': `${names.join('\n')}\n`,
    });
    for (const query of [all, { limit: 2000, offset: 100 }, { ...all, match: 'long' }]) {
      const reading = await collectKprobeFunctions(ctx, query, call);
      expect(reading.data.total).toBe(60_000);
      expect(reading.truncated).toBe(true);
      expect(tokens(reading)).toBeLessThan(10_000);
    }
  });
});

describe('list_events', () => {
  const ask = { event_type: 'perf', limit: 100, offset: 0 } as const;

  test('answers the documented call', async () => {
    const { data } = await collectEventNames(host(tracefs), { ...ask, subsystem: 'sched' }, call);
    expect(data.events).toContain('sched:sched_switch');
    expect(data).toMatchObject({ event_type: 'perf', subsystem: 'sched', has_more: false });
    expect(data.returned_count).toBe(data.total_count);
  });

  test.each([undefined, 'nope', '', '$(id)', '../sched', 'Sched'])(
    'with subsystem %j lists those that there are',
    async (subsystem) => {
      const listing = collectEventNames(host(tracefs), { ...ask, subsystem }, call);
      await expect(listing).rejects.toMatchObject({
        code: 'INVALID_PARAMS',
        suggestion: expect.stringMatching(/\birq, .*\bsched, /),
      });
    },
  );

  test('filters by regular expression and pages', async () => {
    const ctx = host({ ...tracefs, ...functions, ...tracefs });
    const query = {
      ...ask,
      event_type: 'all',
      subsystem: 'sched',
      filter: 'WAKEUP|^vfs_',
    } as const;
    const { data } = await collectEventNames(ctx, { ...query, limit: 3 }, call);
    expect(data).toMatchObject({
      events: ['sched:sched_wakeup', 'sched:sched_wakeup_new', 'vfs_read'],
      total_count: 4,
      has_more: true,
      filter_applied: 'WAKEUP|^vfs_',
    });
    const rest = await collectEventNames(ctx, { ...query, limit: 3, offset: 3 }, call);
    expect(rest.data).toMatchObject({ events: ['vfs_write'], has_more: false });
  });

  test('needs no subsystem for functions', async () => {
    const query = { ...ask, event_type: 'kprobe', filter: 'readdir$' } as const;
    const { data } = await collectEventNames(host(functions), query, call);
    expect(data.events).toEqual(['ext4_readdir']);
  });

  test('says what is wrong with a filter', async () => {
    const query = { ...ask, subsystem: 'sched', filter: '(' };
    await expect(collectEventNames(host(tracefs), query, call)).rejects.toMatchObject({
      code: 'INVALID_PARAMS',
      message: expect.stringContaining('"(" without ")"'),
    });
  });

  test('of a user who may not read tracefs has no count rather than 0', async () => {
    const query = { ...ask, subsystem: 'sched' };
    const { data, unavailable } = await collectEventNames(host({}, 1000), query, call);
    expect(data).toMatchObject({ total_count: null, events: [] });
    expect(unavailable?.[0]?.what).toBe('events://perf');
  });
});
