import { describe, expect, test } from 'vitest';
import type { StreamEvent } from '../../parsers/stream/stream.ts';
import { perfettoTrace } from '../../src/recordings/perfetto/perfetto-trace.ts';
import { at, packed, texts } from './decoded.ts';

const start_ns = 1_000_000_000_000;

function traceOf(events: readonly StreamEvent[], cmdline: readonly string[] = []): Uint8Array {
  const pieces: Uint8Array[] = [];
  const trace = perfettoTrace({
    clocks: { boottime_ns: start_ns, realtime_ns: 1_700_000_000_000_000_000 },
    uname: { release: '6.18.1', machine: 'x86_64' },
    start_ns,
    describe: (pid) => ({ pid, ppid: 1, uid: 0, cmdline, is_kernel_thread: false }),
    write: (bytes) => pieces.push(bytes),
  });
  for (const event of events) trace.event(event, event.ts ?? 0);
  trace.finish();
  return Buffer.concat(pieces);
}

function switched(at_ns: number, from: number, to: number, more: object = {}): StreamEvent {
  return {
    type: 'sched_switch',
    ts: start_ns + at_ns,
    cpu: 3,
    prev_pid: from,
    prev_tgid: from,
    prev_comm: `task${from}`,
    prev_prio: 120,
    prev_state: 'S',
    preempt: false,
    next_pid: to,
    next_tgid: to,
    next_comm: `task${to}`,
    next_prio: 120,
    ...more,
  };
}

const waking = (at_ns: number, waker: number, wakee: number): StreamEvent => ({
  type: 'sched_waking',
  ts: start_ns + at_ns,
  cpu: 3,
  pid: wakee,
  tgid: wakee,
  comm: `task${wakee}`,
  prio: 120,
  target_cpu: 1,
  waker_pid: waker,
  waker_tgid: waker,
  waker_comm: `task${waker}`,
});

/** Paths: packet 1, ftrace_events 1, then event 2 with sched_switch 4, or compact_sched 4. */
const bundle = [1, 1] as const;
const plain = [...bundle, 2, 4] as const;
const compact = [...bundle, 4] as const;

describe('switches of a CPU', () => {
  const bytes = traceOf([switched(0, 1, 2), switched(50, 2, 0), switched(70, 0, 2)]);

  test('are plain first, and compact where the one before tells who went', () => {
    expect(at(bytes, ...plain, 6)).toEqual([2]);
    expect(packed(bytes, ...compact, 1)).toEqual([start_ns + 50, 20]);
    expect(packed(bytes, ...compact, 3)).toEqual([0, 2]);
    expect(packed(bytes, ...compact, 2)).toEqual([1, 1]);
  });

  test('name each task once, by its place in the table', () => {
    expect(texts(bytes, ...compact, 5)).toEqual(['task0', 'task2']);
    expect(packed(bytes, ...compact, 6)).toEqual([0, 1]);
  });

  test('say which CPU it is', () => {
    expect(at(bytes, ...bundle, 1)).toEqual([3]);
  });

  test('of a task that was preempted have the state that the kernel gives it', () => {
    const preempted = { prev_state: 'R', preempt: true };
    const states = packed(
      traceOf([
        switched(0, 1, 2),
        switched(9, 2, 3, preempted),
        switched(12, 3, 1, { prev_state: 'D' }),
      ]),
      ...compact,
      2,
    );
    expect(states).toEqual([0x100, 2]);
  });
});

test('a switch that comes too late is plain, and those behind it are not moved', () => {
  const bytes = traceOf([
    switched(0, 1, 2),
    switched(80, 2, 3),
    switched(40, 7, 8),
    switched(90, 3, 1),
  ]);
  expect(at(bytes, ...bundle, 2, 1)).toEqual([start_ns, start_ns + 40]);
  expect(packed(bytes, ...compact, 1)).toEqual([start_ns + 80, 10]);
});

describe('a gap in the switches of a CPU', () => {
  const bytes = traceOf([switched(0, 1, 2), switched(500, 7, 8)]);

  test('ends with a switch that nobody saw to the task that was seen going', () => {
    expect(at(bytes, ...plain, 2)).toEqual([1, 2]);
    expect(at(bytes, ...plain, 6)).toEqual([2, 7]);
    expect(at(bytes, ...plain, 4)).toEqual([1, 0x200]);
    expect(at(bytes, ...bundle, 2, 1)).toEqual([start_ns, start_ns + 499]);
  });

  test('stands on a row of its own', () => {
    expect(texts(bytes, 1, 60, 2)).toEqual(['Missing switches', 'CPU 3']);
    expect(texts(bytes, 1, 12, 2, 2)).toEqual(['switches are missing']);
    expect(at(bytes, 1, 11, 9)).toEqual([1, 2]);
  });
});

describe('wakeups', () => {
  test('are compact where the waker is who ran, else plain with the waker', () => {
    const bytes = traceOf([switched(0, 1, 2), waking(10, 2, 5), waking(20, 9, 6)]);
    expect(packed(bytes, ...compact, 8)).toEqual([5]);
    expect(at(bytes, ...bundle, 2, 20, 2)).toEqual([6]);
    expect(at(bytes, ...bundle, 2, 2)).toEqual([1, 9]);
  });
});

describe('softirqs', () => {
  test('begin and end when they did', () => {
    const softirq: StreamEvent = {
      type: 'softirq',
      ts: start_ns + 100,
      cpu: 0,
      pid: 7,
      softirq_nr: 3,
      duration_ns: 40,
    };
    const bytes = traceOf([softirq]);
    expect(at(bytes, ...bundle, 2, 1)).toEqual([start_ns + 60, start_ns + 100]);
    expect(at(bytes, ...bundle, 2, 24, 1)).toEqual([3]);
    expect(at(bytes, ...bundle, 2, 25, 1)).toEqual([3]);
  });
});

describe('a wait in a dispatch queue', () => {
  const queued = { next_dsq_id: '0x42', next_dsq_lat_us: 20, next_dsq_nr_queued: 3 };
  const bytes = traceOf([switched(0, 2, 1), switched(90_000, 1, 2, queued)]);

  test('is a slice of the thread up to its turn', () => {
    expect(at(bytes, 1, 60, 4, 2)).toEqual([2]);
    expect(texts(bytes, 1, 12, 2, 2)).toEqual(['in DSQ 0x42']);
    const slices = at(bytes, 1).filter(
      (each) => typeof each !== 'number' && [1, 2].includes(Number(at(each, 11, 9)[0])),
    );
    expect(slices.map((each) => at(Object(each), 8)[0])).toEqual([
      start_ns + 70_000,
      start_ns + 90_000,
    ]);
  });

  test('tells the depth of the queue', () => {
    expect(at(bytes, 1, 11, 30)).toEqual([3]);
  });
});

describe('names of processes', () => {
  test('come once for each process, with the threads that events tell of', () => {
    const bytes = traceOf([switched(0, 1, 2), switched(5, 2, 1)], ['sleep', '5']);
    expect(at(bytes, 1, 2, 2, 1)).toEqual([1, 2]);
    expect(at(bytes, 1, 2, 1, 1)).toEqual([1, 2]);
    expect(texts(bytes, 1, 2, 1, 3)).toEqual(['sleep', '5', 'sleep', '5']);
  });

  test('leave a thread that began meanwhile to its own event', () => {
    const fork: StreamEvent = {
      type: 'fork',
      ts: start_ns,
      cpu: 0,
      parent_pid: 1,
      parent_tgid: 1,
      child_pid: 9,
      child_tgid: 1,
      child_comm: 'worker',
    };
    const bytes = traceOf([fork, switched(1, 9, 1, { prev_tgid: 1 })]);
    expect(at(bytes, ...bundle, 2, 235, 1)).toEqual([9]);
    expect(at(bytes, ...bundle, 2, 235, 3)).toEqual([0x10000]);
    expect(at(bytes, 1, 2, 2, 1)).toEqual([1]);
  });
});

test('the clocks of a trace are told at one moment, boot time the main one', () => {
  const bytes = traceOf([]);
  expect(at(bytes, 1, 6, 1, 1)).toEqual([6, 1]);
  expect(at(bytes, 1, 6, 2)).toEqual([6]);
  expect(texts(bytes, 1, 45, 1, 3)).toEqual(['6.18.1']);
});
