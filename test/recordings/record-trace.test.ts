import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Context } from '../../src/context.ts';
import { readRecording } from '../../src/recordings/kept-recording.ts';
import { recordTrace } from '../../src/recordings/record-trace.ts';
import { captureStore } from '../../src/store/capture-store.ts';
import { tracers } from '../fake-event-tracer.ts';
import { call, fakeHost, procStat, scriptedContext } from '../fake-host.ts';

vi.mock('../../src/collectors/event-tracer.ts', () => import('../fake-event-tracer.ts'));

let room: string;
const rooms: string[] = [];
afterAll(() => {
  for (const each of rooms) rmSync(each, { recursive: true, force: true });
});
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'tracewright-record-'));
  rooms.push(room);
  tracers.length = 0;
});

const now = (): Date => new Date('2026-01-01T00:00:00Z');
const generous = { ttl_ms: 1e12, quota_bytes: 1e9, max_captures: 10 };

/** A machine whose clock moves only while something waits; `happens` runs at each wait. */
function machine(happens: (wait: number) => void, limits = generous) {
  const root = fakeHost({
    'proc/stat': procStat({ 0: '10 0 0 90', 1: '0 0 0 100' }),
    'proc/uptime': '1.00 1.00\n',
    'proc/sys/kernel/osrelease': '6.18.1\n',
    'proc/self/status': 'CapEff:\tffffffffffffffff\n',
    'proc/7/status': 'Name:\tseven\nTgid:\t7\n',
  });
  const scripted = scriptedContext(root);
  let waits = 0;
  const ctx: Context = {
    ...scripted,
    uid: 0,
    find: () => ({ path: '/usr/bin/bpftrace' }),
    captures: captureStore(room, now, limits),
    monotonicNs: () => scripted.monotonicMs() * 1e6,
    async sleep(ms) {
      happens(waits);
      waits += 1;
      await scripted.sleep(ms);
    },
  };
  return ctx;
}

/** A switch as buffer.bt prints it: CPU, and tasks whose process is the thread itself. */
const change = (ts: number, cpu: number, from: number, to: number): string =>
  `e\t${ts}\t${2 ** 44 + cpu * 2 ** 28 + 2 ** 16}\t${from}\t${from}\t${to}\t${to}\t0\t0\t61\t0\t62\t0`;
const wakeup = (ts: number, waker: number, wakee: number): string =>
  `e\t${ts}\t${2 * 2 ** 44}\t${waker}\t${waker}\t${wakee}\t${wakee}\t1\t0\t61\t0\t62\t0`;

const begin = 1_000_000_000;
const request = { duration_seconds: 1, pid: null, sample_hz: null };

describe('a recording', () => {
  test('holds what happens while it is made, and nothing from before or after', async () => {
    const ctx = machine((wait) => {
      if (wait !== 3) return;
      const times = [begin - 1, begin, begin + 5e8, begin + 1e9, begin + 1e9 + 1];
      tracers[0]?.print(...times.map((ts, at) => change(ts, 0, at, at + 1)));
    });
    const { data, lost_events } = await recordTrace(ctx, request, call);
    expect(data.switches).toBe(3);
    expect(data).toMatchObject({ from_ns: begin, to_ns: begin + 1e9, duration_ms: 1000, gaps: 0 });
    expect(lost_events).toBe(0);
    expect(tracers[0]?.filter).toMatchObject({ with_own: true, pid: null, sample: 1 });
  });

  test('is kept and told of again', async () => {
    const ctx = machine(() => {});
    const { data, links } = await recordTrace(ctx, request, call);
    expect(readRecording(ctx, data.recording_id).data).toMatchObject({
      recording_id: data.recording_id,
      path: data.path,
      duration_ms: 1000,
      lost_events: 0,
    });
    expect(links?.map(({ uri }) => uri)).toEqual([`captures://recording?id=${data.recording_id}`]);
  });

  test('says how many events did not arrive', async () => {
    const ctx = machine((wait) => {
      if (wait === 1) tracers[0]?.lose(40, 'untold');
    });
    const { lost_events, warnings } = await recordTrace(ctx, request, call);
    expect(lost_events).toBe(40);
    expect(warnings?.[0]).toContain('40 events were lost');
  });

  test('of one process has the switches of all and no wakeups of others', async () => {
    const ctx = machine((wait) => {
      if (wait !== 1) return;
      const at = begin + 1e6;
      tracers[0]?.print(change(at, 0, 1, 2), wakeup(at, 2, 7), wakeup(at, 7, 3), wakeup(at, 2, 3));
    });
    const { data } = await recordTrace(ctx, { ...request, pid: 7 }, call);
    expect(data).toMatchObject({ switches: 1, wakeups: 2, pid: 7 });
  });

  test('without perf is made all the same, and says that stacks are missing', async () => {
    const { find, ...rest } = machine(() => {});
    const ctx: Context = {
      ...rest,
      find: (program) =>
        program.name === 'perf' ? { problem: 'missing', path: null } : find(program),
      install: () => 'sudo apt-get install linux-perf',
    };
    const { data, unavailable } = await recordTrace(ctx, { ...request, sample_hz: 99 }, call);
    expect(data).toMatchObject({ stack_samples: null, duration_ms: 1000 });
    expect(unavailable).toContainEqual({
      what: 'stack_samples',
      reason: 'perf is not installed.',
      fix: 'sudo apt-get install linux-perf',
    });
  });

  test('ends with bpftrace, and says so', async () => {
    const ctx = machine((wait) => {
      if (wait === 10) tracers[0]?.die();
    });
    const { data, truncated, warnings } = await recordTrace(ctx, request, call);
    expect(data.ended).toBe('tracer');
    expect(data.duration_ms).toBeLessThan(1000);
    expect(truncated).toBe(true);
    expect(warnings?.join()).toContain('bpftrace ended by itself');
  });

  test('of which bpftrace did not bring the end is shorter, and says so', async () => {
    const ctx = machine((wait) => {
      if (wait === 3) tracers[0]?.print(change(begin + 4e8, 0, 1, 2));
    });
    const { data, truncated, warnings } = await recordTrace(ctx, request, call);
    expect(data).toMatchObject({ duration_ms: 400, to_ns: begin + 4e8 });
    expect(truncated).toBe(true);
    expect(warnings?.join()).toContain('the last 600 ms are not in it');
  });

  test('is refused while another one is made', async () => {
    const ctx = machine(() => {});
    const first = recordTrace(ctx, request, call);
    await expect(recordTrace(ctx, request, call)).rejects.toMatchObject({ code: 'PROFILER_BUSY' });
    await first;
    await expect(recordTrace(ctx, request, call)).resolves.toBeDefined();
  });

  test('that is canceled leaves nothing behind, and no tracer', async () => {
    const cancel = new AbortController();
    const ctx = machine(() => {});
    const sleep = ctx.sleep;
    const canceled: Context = {
      ...ctx,
      async sleep(ms) {
        if (tracers.length > 0) throw new DOMException('canceled', 'AbortError');
        await sleep(ms);
      },
    };
    const made = recordTrace(canceled, request, { ...call, signal: cancel.signal });
    await expect(made).rejects.toMatchObject({ name: 'AbortError' });
    expect(tracers[0]?.ended()).toBe(true);
    expect(readdirSync(join(room, 'recording'))).toEqual([]);
  });

  test('beyond the quota fails with what to do, and the older one stays whole', async () => {
    const small = { ...generous, quota_bytes: 20_000 };
    const older = await recordTrace(
      machine(() => {}, small),
      request,
      call,
    );
    const busy = machine((wait) => {
      const records = Array.from({ length: 2000 }, (_, at) =>
        change(begin + wait * 1e6 + at, 0, at % 2, (at + 1) % 2),
      );
      tracers.at(-1)?.print(...records);
    }, small);
    const made = recordTrace(busy, request, call);
    await expect(made).rejects.toMatchObject({
      code: 'EXECUTION_FAILED',
      suggestion: 'Capture for a shorter time.',
    });
    expect(busy.captures.list('recording').map(({ id }) => id)).toEqual([older.data.recording_id]);
    expect(readdirSync(join(room, 'recording'))).toEqual([older.data.recording_id]);
  });
});

describe('where nothing can be recorded', () => {
  test('the answer is the reason and what changes it', async () => {
    const ctx = { ...machine(() => {}), uid: 1000 };
    await expect(recordTrace(ctx, request, call)).rejects.toMatchObject({
      code: 'CAPABILITY_MISSING',
      message: expect.stringContaining('Only root'),
      recoverable: true,
    });
    expect(tracers).toEqual([]);
  });
});
