import { describe, expect, test } from 'vitest';
import type { StreamEvent } from '../../parsers/stream/stream.ts';
import { createContext } from '../../src/context.ts';
import { eventLines } from '../../src/recordings/event-lines.ts';
import { eventOrder } from '../../src/recordings/event-order.ts';
import { hostSamples } from '../../src/recordings/host-samples.ts';
import type { Counter } from '../../src/recordings/perfetto/perfetto-trace.ts';
import { figuresOf } from '../../src/recordings/recording-figures.ts';
import { recordingWarnings } from '../../src/recordings/recording-words.ts';
import { traceClock } from '../../src/recordings/trace-clock.ts';
import { fakeHost, procStat } from '../fake-host.ts';

describe('lines of the event program', () => {
  test('are put together from pieces that are torn anywhere', () => {
    const records: string[] = [];
    const controls: string[] = [];
    const text = '#attached\ne\t1\n@seen: 1\n\nq\t2\n';
    const push = eventLines(
      (line) => records.push(line),
      (line) => controls.push(line),
    );
    for (const byte of text) push(Buffer.from(byte));
    expect(records).toEqual(['e\t1', 'q\t2']);
    expect(controls).toEqual(['#attached', '@seen: 1']);
  });
});

describe('events of CPUs', () => {
  const event = (cpu: number): StreamEvent => ({ type: 'exit', ts: null, cpu });

  test('come in the order of time for each CPU, and not before they are released', () => {
    const out: number[] = [];
    const order = eventOrder((_, ts) => out.push(ts));
    for (const ts of [10, 30, 20, 40]) order.add(event(0), ts);
    order.add(event(1), 5);
    order.release(20);
    expect(out).toEqual([10, 20, 5]);
    order.add(event(0), 25);
    order.release(100);
    expect(out).toEqual([10, 20, 5, 25, 30, 40]);
  });
});

describe('figures of a recording', () => {
  const change = (cpu: number, prev: number, next: number, more = {}): StreamEvent => ({
    type: 'sched_switch',
    ts: 0,
    cpu,
    prev_pid: prev,
    prev_tgid: prev,
    prev_comm: `t${prev}`,
    next_pid: next,
    next_tgid: next,
    next_comm: `t${next}`,
    ...more,
  });

  test('give each process the time that it ran, to both ends of the window', () => {
    const figures = figuresOf(1000);
    figures.add(change(0, 5, 0), 3_001_000);
    figures.add(change(0, 0, 6), 7_001_000);
    const { cpus, cpus_seen, processes } = figures.result(10_001_000);
    expect(cpus).toEqual([{ cpu: 0, busy_pct: 60, switches: 2 }]);
    expect(cpus_seen).toBe(1);
    expect(processes.map(({ pid, cpu_ms }) => [pid, cpu_ms])).toEqual([
      [5, 3],
      [6, 3],
    ]);
  });

  test('count a gap, and nobody has the time in it', () => {
    const figures = figuresOf(0);
    figures.add(change(0, 1, 2), 1_000_000);
    figures.add(change(0, 3, 4), 5_000_000);
    const { gaps, processes } = figures.result(5_000_000);
    expect(gaps).toBe(1);
    expect(processes.map(({ pid }) => pid)).toEqual([1]);
  });

  test('tell the longest wait for a CPU', () => {
    const figures = figuresOf(0);
    figures.add(change(0, 0, 2, { next_wakeup_lat_us: 8 }), 10);
    figures.add(change(1, 0, 3, { next_wakeup_lat_us: 50 }), 20);
    expect(figures.result(30).longest_wait).toEqual({ wait_us: 50, pid: 3, comm: 't3', cpu: 1 });
  });
});

describe('what files tell beside the events', () => {
  test('becomes counters, and the frequency that each CPU was seen at', () => {
    const cpufreq = (khz: number) => ({
      'sys/devices/system/cpu/cpufreq/policy0/affected_cpus': '0\n',
      'sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq': `${khz}\n`,
    });
    const pressure = (us: number): string =>
      `some avg10=0.00 avg60=0.00 avg300=0.00 total=${us}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n`;
    const root = fakeHost({
      ...cpufreq(1_800_000),
      'proc/stat': procStat({ 0: '10 0 0 90' }, 'procs_running 2\nprocs_blocked 0\n'),
      'proc/pressure/io': pressure(1000),
      // The kernel prints a full line for the CPUs of the host that says nothing.
      'proc/pressure/cpu': pressure(0),
    });
    const ctx = createContext({ daemon: false, readOnly: false }, root);
    const counted: unknown[] = [];
    const frequencies: unknown[] = [];
    const trace = {
      event() {},
      name() {},
      finish() {},
      count: (ts: number, counters: readonly Counter[]) =>
        counted.push(...counters.map(({ name, value }) => [ts, name, value])),
      frequency: (...seen: readonly number[]) => frequencies.push(seen),
    };
    const samples = hostSamples(ctx, trace, 1_000_000);
    fakeHost(
      {
        ...cpufreq(2_400_000),
        'proc/stat': procStat({ 0: '40 0 0 100' }, 'procs_running 5\nprocs_blocked 1\n'),
        'proc/pressure/io': pressure(1500),
      },
      root,
    );
    samples.step(3_000_000);
    expect(counted).toEqual([
      [1_000_000, 'CPU 0', 75],
      [1_000_000, 'cpu, some', 0],
      [1_000_000, 'io, some', 25],
      [1_000_000, 'io, full', 0],
      [3_000_000, 'runnable', 5],
      [3_000_000, 'blocked on I/O', 1],
    ]);
    expect(frequencies).toEqual([[3_000_000, 0, 2_400_000]]);
  });
});

describe('the clock of a recording', () => {
  const clockOn = (release: string, uptime_s: number, offsets = '') => {
    const root = fakeHost({
      'proc/sys/kernel/osrelease': `${release}\n`,
      'proc/uptime': `${uptime_s}.00 1.00\n`,
      'proc/self/timens_offsets': offsets,
    });
    const ctx = { ...createContext({ daemon: false, readOnly: false }, root) };
    return traceClock({ ...ctx, monotonicNs: () => 100e9 });
  };

  test('is that of the kernel programs where the machine never slept', () => {
    const clock = clockOn('6.18.1', 100);
    expect(clock.suspended_ns).toBe(0);
    expect(clock.ofEvent(5)).toBe(5);
    expect(clock.now_ns()).toBe(100e9);
  });

  test('is that of the kernel in a container with clocks of its own', () => {
    const offsets = 'monotonic     1000000         0\nboottime      2000000         0\n';
    const clock = clockOn('6.18.1', 2_000_130, offsets);
    expect(clock.suspended_ns).toBe(30e9);
    expect(clock.now_ns()).toBe(130e9);
  });

  test('has slept with the machine', () => {
    const clock = clockOn('6.18.1', 130);
    expect(clock.now_ns()).toBe(130e9);
    expect(clock.ofEvent(130e9)).toBe(130e9);
    expect(clock.kernel_clock).toBe('CLOCK_BOOTTIME');
  });

  test('of kernels whose programs cannot ask for it is that of CLOCK_MONOTONIC, moved', () => {
    const clock = clockOn('5.4.0-200', 130);
    expect(clock.kernel_clock).toBe('CLOCK_MONOTONIC');
    expect(clock.ofEvent(100e9)).toBe(130e9);
  });
});

test('CPUs that never changed their task are said to be missing from the figures', () => {
  const facts = {
    lost_events: 0,
    gaps: 0,
    ended: 'time',
    stack_samples: null,
    cpus_seen: 3,
  } as const;
  const clock = { suspended_ns: 0, kernel_clock: 'CLOCK_BOOTTIME' } as const;
  const said = (online: number | null) =>
    recordingWarnings(facts, { ...clock, now_ns: () => 0, ofEvent: (ts) => ts }, 1000, online);
  expect(said(4)).toEqual([
    '1 CPU changed its task never: what it did is not in the figures. It was idle or busy throughout.',
  ]);
  expect(said(3)).toEqual([]);
  expect(said(null)).toEqual([]);
});
