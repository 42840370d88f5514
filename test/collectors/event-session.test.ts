import { beforeEach, describe, expect, test, vi } from 'vitest';
import { controlTracking } from '../../src/collectors/event-control.ts';
import { joinStream, leaveStream } from '../../src/collectors/event-holders.ts';
import { eventSession } from '../../src/collectors/event-session.ts';
import { collectStream, type StreamQuery } from '../../src/collectors/event-stream.ts';
import { wholeFilter } from '../../src/collectors/whole-filter.ts';
import { type Context, createContext } from '../../src/context.ts';
import { inTurn } from '../../src/serialize.ts';
import { type FakeTracer, refusal, tracers } from '../fake-event-tracer.ts';

vi.mock('../../src/collectors/event-tracer.ts', () => import('../fake-event-tracer.ts'));

const exitOf = (pid: number): string => `q\t1000\t0\t${pid}\t${pid}\t120\t1\t6d72\t0`;
const forkOf = (pid: number): string => `f\t1000\t0\t1\t1\t${pid}\t${pid}\t6d72\t0`;
/** Fifteen tasks in a row waited too long for this CPU. */
const foundOn = (cpu: number): string =>
  `a\t9000\t${cpu}\t1\t15\t2000000\t1000000\t1000\t7\t7\t6d72\t0`;

const call = { signal: new AbortController().signal, progress: () => {} };
const start = {
  ...wholeFilter([]),
  action: 'start',
  types: null,
  duration_s: 600,
} as const;

function context(changes: Partial<Context> = {}): Context {
  const ctx = createContext({ daemon: true, readOnly: false });
  return { ...ctx, uid: 0, find: () => ({ path: '/usr/bin/bpftrace' }), ...changes };
}

const control = (ctx: Context, changes: Partial<Parameters<typeof controlTracking>[1]> = {}) =>
  inTurn('events', () => controlTracking(ctx, { ...start, ...changes }, call));

const newest = (): FakeTracer => {
  const tracer = tracers.at(-1);
  if (!tracer) throw new Error('nothing was attached');
  return tracer;
};

async function read(ctx: Context, query: StreamQuery = { limit: 50_000 }) {
  const { data } = await collectStream(ctx, query, call);
  const { kernel_buffer, ring_overflow, unparsable } = data.dropped;
  // Of every answer: each record that was made is delivered, hidden or dropped.
  expect(data.seen).toBe(data.delivered + data.hidden + kernel_buffer + ring_overflow + unparsable);
  expect(data.delivered).toBe(data.events.length);
  return data;
}

const typesOf = ({ events }: { events: readonly { type: string }[] }) =>
  events.map(({ type }) => type);

const records = (count: number, from = 1): string[] =>
  Array.from({ length: count }, (_, index) => exitOf(from + index));

beforeEach(() => {
  tracers.length = 0;
  refusal.error = null;
});

describe('subscribers of the stream', () => {
  test('share one program, which ends when the last of them leaves', async () => {
    const ctx = context();
    const subscribers = Array.from({ length: 20 }, () => ({}));
    await Promise.all(subscribers.map((each) => joinStream(ctx, each, null, call)));
    expect(tracers).toHaveLength(1);
    newest().print(...records(100));
    for (const each of subscribers.slice(1)) await leaveStream(ctx, each);
    expect(newest().ended()).toBe(false);
    expect(eventSession(ctx).ring.held_bytes()).toBeGreaterThan(0);
    await leaveStream(ctx, subscribers[0] ?? {});
    expect(newest().ended()).toBe(true);
    expect(eventSession(ctx).ring.held_bytes()).toBe(0);
  });

  test('each read at their own place', async () => {
    const ctx = context();
    await joinStream(ctx, {}, ['exit'], call);
    newest().print(...records(1000));
    newest().print(exitOf(5000));
    const readers = Array.from({ length: 20 }, (_, index) => ({ after: index * 10, limit: 7 }));
    const answers = await Promise.all(readers.map((each) => read(ctx, each)));
    for (const [index, { events, next_seq }] of answers.entries()) {
      expect(events.map(({ seq }) => seq)).toEqual(
        Array.from({ length: 7 }, (_, step) => index * 10 + 1 + step),
      );
      expect(next_seq).toBe(index * 10 + 7);
    }
  });

  test('that name no place go on where the last read ended', async () => {
    const ctx = context();
    await joinStream(ctx, {}, ['exit', 'trace_started'], call);
    newest().print(...records(30));
    newest().print(exitOf(31));
    const first = await read(ctx, { limit: 10 });
    const second = await read(ctx, { limit: 10 });
    expect(first.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(second.events[0]?.seq).toBe(11);
    expect(second.pending).toBe(12);
  });

  test('have the default types attached that the host has', async () => {
    const ctx = context();
    await joinStream(ctx, {}, null, call);
    expect(newest().filter.types).toContain('sched_switch');
    expect(newest().filter.types).not.toContain('softirq');
    expect(newest().filter.types).not.toContain('system_stat');
  });

  test('have the types attached that their URI names', async () => {
    const ctx = context();
    await joinStream(ctx, {}, ['softirq', 'ipi'], call);
    expect(newest().filter.types).toEqual(['softirq']);
  });

  test('are refused where the host has none of the types', async () => {
    const joined = joinStream(context(), {}, ['ipi', 'mango_app'], call);
    await expect(joined).rejects.toThrow(/no ipi here/);
  });

  test.each([
    ['is not root', { uid: 1000 }, /root/],
    ['is read-only', { settings: { daemon: true, readOnly: true } }, /read-only/],
    ['has no bpftrace', { find: () => ({ problem: 'missing', path: null }) }, /bpftrace/],
  ] as [string, Partial<Context>, RegExp][])(
    'are refused with the reason by a server that %s',
    async (_what, changes, reason) => {
      await expect(joinStream(context(changes), {}, null, call)).rejects.toThrow(reason);
      expect(tracers).toEqual([]);
    },
  );

  test('leave nothing behind when the program cannot be attached', async () => {
    refusal.error = new Error('the verifier said no');
    const ctx = context();
    const subscriber = {};
    await expect(joinStream(ctx, subscriber, null, call)).rejects.toThrow('verifier');
    expect(eventSession(ctx).tracking).toBeNull();
    expect(eventSession(ctx).subscribers.size).toBe(0);
    refusal.error = null;
    await joinStream(ctx, subscriber, null, call);
    expect(eventSession(ctx).tracking).not.toBeNull();
  });
});

describe('the accounting', () => {
  test('adds up while bpftrace tells of losses, and after the end to the last record', async () => {
    const ctx = context();
    await control(ctx, { types: ['exit'] });
    const tracer = newest();
    tracer.print(...records(500));
    tracer.lose(40);
    tracer.print(...records(500));
    const first = await read(ctx, { limit: 200 });
    tracer.lose(3, 'untold');
    const second = await read(ctx);
    await control(ctx, { action: 'stop' });
    const third = await read(ctx);
    const all = [first, second, third];
    const sum = (of: (each: typeof first) => number): number =>
      all.reduce((total, each) => total + of(each), 0);
    expect(sum(({ dropped }) => dropped.kernel_buffer)).toBe(43);
    expect(all.flatMap(({ events }) => events).filter(({ type }) => type === 'exit')).toHaveLength(
      1000,
    );
    const [stopped] = third.events.filter(({ type }) => type === 'trace_stopped');
    // With trace_started, without itself.
    expect(stopped).toMatchObject({ seen: 1000 + 43 + 1, lost: 43 });
  });

  test('counts what a reader asked not to see', async () => {
    const ctx = context();
    await control(ctx, { types: ['exit', 'fork'] });
    newest().print(forkOf(1), exitOf(1), forkOf(2), exitOf(2), exitOf(3));
    newest().print(forkOf(9));
    const { events, hidden } = await read(ctx, { limit: 50, types: ['exit'], pid: 2 });
    expect(events).toMatchObject([{ type: 'exit', pid: 2 }]);
    expect(hidden).toBeGreaterThanOrEqual(5);
  });

  test('counts records that make no sense', async () => {
    const ctx = context();
    await control(ctx, { types: ['exit'] });
    newest().print(exitOf(1), 'nonsense\t1', exitOf(2));
    newest().print(exitOf(3));
    await control(ctx, { action: 'stop' });
    expect((await read(ctx)).dropped.unparsable).toBe(1);
  });

  test('counts what the ring overwrote before a reader came', async () => {
    const ctx = context();
    await control(ctx, { types: ['exit'] });
    const tracer = newest();
    for (let piece = 0; piece < 300; piece++) tracer.print(`${exitOf(1)}\n`.repeat(10_000).trim());
    tracer.lose(5);
    await control(ctx, { action: 'stop' });
    const { dropped, seen, next_seq } = await read(ctx, { after: 0, limit: 10 });
    expect(dropped.ring_overflow).toBeGreaterThan(100_000);
    expect(seen).toBe(next_seq + dropped.kernel_buffer);
  });
});

describe('tracking that a tool started', () => {
  test('ends by itself and can still be read', async () => {
    const ctx = context();
    await control(ctx, { types: ['exit'], duration_s: 1 });
    newest().print(...records(10));
    await vi.waitFor(() => expect(newest().ended()).toBe(true), 5000);
    const data = await read(ctx);
    expect(data.state).toBe('stopped');
    expect(typesOf(data).filter((type) => type === 'exit')).toHaveLength(10);
    expect(data.events.at(-1)).toMatchObject({ type: 'trace_stopped', reason: 'time limit' });
  });

  test('goes on when a subscriber leaves, and for a subscriber when its own time is over', async () => {
    const ctx = context();
    const subscriber = {};
    await control(ctx, { types: ['exit'], duration_s: 1 });
    await joinStream(ctx, subscriber, null, call);
    expect(tracers).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 1300));
    expect(newest().ended()).toBe(false);
    await leaveStream(ctx, subscriber);
    expect(newest().ended()).toBe(true);
  });

  test('is replaced by the next start, and numbers go on', async () => {
    const ctx = context();
    await control(ctx, { types: ['exit'] });
    newest().print(...records(5));
    const { data } = await control(ctx, { types: ['fork'], sample: 8 });
    newest().print(forkOf(1), forkOf(2));
    newest().print(forkOf(3));
    expect(tracers.map((each) => each.ended())).toEqual([true, false]);
    expect(data.filter).toMatchObject({ types: ['fork'], sample: 8 });
    const all = await read(ctx, { after: 0, limit: 100 });
    expect(typesOf(all).slice(0, 11)).toEqual([
      'trace_started',
      ...Array.from({ length: 5 }, () => 'exit'),
      'trace_stopped',
      'trace_started',
      'fork',
      'fork',
      ...typesOf(all).slice(10, 11),
    ]);
    expect(all.sample).toBe(8);
  });

  test('without types of the kernel attaches nothing', async () => {
    const ctx = context();
    const { data } = await control(ctx, { types: ['system_stat'] });
    expect(tracers).toEqual([]);
    expect(data.state).toBe('running');
    const { events } = await read(ctx, { limit: 2, wait_ms: 5000, types: ['system_stat'] });
    expect(events[0]).toMatchObject({ type: 'system_stat', cpu: null });
    expect(Number(events[0]?.['switches_per_s'])).toBeGreaterThan(0);
  });
});

describe('a program that dies', () => {
  test('is told of and started once more', async () => {
    const ctx = context();
    await control(ctx, { types: ['exit'] });
    newest().print(...records(3));
    newest().lose(2);
    newest().die();
    await vi.waitFor(() => expect(tracers).toHaveLength(2), 10_000);
    newest().print(...records(4));
    newest().lose(1);
    const { data } = await control(ctx, { action: 'status' });
    expect(data).toMatchObject({ state: 'running', restarts: 1 });
    await control(ctx, { action: 'stop' });
    const all = await read(ctx);
    expect(typesOf(all).filter((type) => type.startsWith('trace'))).toEqual([
      'trace_started',
      'trace_stopped',
      'trace_started',
      'trace_stopped',
    ]);
    expect(typesOf(all).filter((type) => type === 'exit')).toHaveLength(7);
    expect(all.dropped.kernel_buffer).toBe(3);
  });

  test('twice ends tracking, with the reason', async () => {
    const ctx = context();
    await control(ctx, { types: ['exit'] });
    newest().die();
    await vi.waitFor(() => expect(tracers).toHaveLength(2), 10_000);
    newest().die();
    await vi.waitFor(() => expect(eventSession(ctx).tracking).toBeNull(), 10_000);
    const { data } = await control(ctx, { action: 'status' });
    expect(data.state).toBe('stopped');
    expect(data.stopped_because).toMatch(/unexpectedly again/);
    expect(tracers).toHaveLength(2);
  });

  test('when it is stopped is not started again', async () => {
    const ctx = context();
    await control(ctx, { types: ['exit'] });
    await control(ctx, { action: 'stop' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(tracers).toHaveLength(1);
  });
});

test('lines of control go to the program that printed them', async () => {
  const ctx = context();
  await control(ctx, { types: ['exit'] });
  newest().printBytes(`@seen: 5\n${exitOf(1)}\nLost 3 events\n`);
  expect(newest().controls).toEqual(['@seen: 5', 'Lost 3 events']);
});

test('a trouble that goes on becomes one alert', async () => {
  const ctx = context();
  await control(ctx, { types: ['alert', 'exit'] });
  for (let time = 0; time < 50; time++) newest().print(foundOn(7));
  newest().print(foundOn(8), exitOf(1));
  await control(ctx, { action: 'stop' });
  const { events, dropped } = await read(ctx);
  expect(events.filter(({ type }) => type === 'alert')).toHaveLength(2);
  expect(dropped.kernel_buffer).toBe(0);
});

test('nothing tracked is said, with how to begin', async () => {
  const { unavailable } = await collectStream(context(), {}, call);
  expect(unavailable?.[0]?.fix).toContain('control_event_tracking');
});

test('a read waits for as many as were asked for, and no longer than it was told to', async () => {
  const ctx = context();
  await control(ctx, { types: ['exit'] });
  setTimeout(() => newest().print(...records(20)), 150);
  const started = performance.now();
  const { events } = await read(ctx, { limit: 10, wait_ms: 5000, types: ['exit'] });
  expect(events).toHaveLength(10);
  // Five seconds are what it was told.
  expect(performance.now() - started).toBeLessThan(5000);
  await read(ctx, { limit: 50_000, wait_ms: 200 });
});

test('a default answer stays below 10,000 tokens, and a limit makes it as long as it says', async () => {
  const ctx = context();
  await control(ctx, { types: ['exit'] });
  newest().print(...records(20_000));
  const reading = await collectStream(ctx, { after: 0 }, call);
  expect(JSON.stringify(reading).length / 4).toBeLessThan(10_000);
  expect(reading.data.pending).toBeGreaterThan(10_000);
  expect((await read(ctx, { after: 0, limit: 5000 })).events).toHaveLength(5000);
});
