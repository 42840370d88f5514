import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { tracingObstacle } from '../../src/collectors/bpftrace-tracer.ts';
import { createContext } from '../../src/context.ts';
import { type Recording, recordTrace } from '../../src/recordings/record-trace.ts';
import { call } from '../stepped-context.ts';
import { type DecodedTrace, decoder, decodeTrace } from './perfetto/decoded-trace.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const room = mkdtempSync(join(tmpdir(), 'tracewright-recording-'));
const ctx = createContext({ daemon: false, readOnly: false, stateFolder: room });
const run = promisify(execFile);

const obstacle =
  tracingObstacle(ctx, 'recording')?.reason ??
  (existsSync(decoder) ? null : 'test/live/perfetto/install.sh was not run');
const bucket_ns = 10_000_000;

/** Written for this test alone: how many switches happen in each 10 ms. */
const independent = `
  BEGIN { printf("begin\\n"); }
  tracepoint:sched:sched_switch { @n[nsecs / ${bucket_ns}] = count(); }`;

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(room, { recursive: true, force: true });
});

async function startCounting() {
  // bpftrace looks for tracepoints in tracefs, which not every host has mounted.
  const mounted = 'mount -t tracefs tracefs /sys/kernel/tracing; exec "$@"';
  const counter = ['bpftrace', '-f', 'json', '-B', 'line', '-e', independent];
  const child = spawn('unshare', ['-m', 'sh', '-c', mounted, 'sh', ...counter]);
  children.push(child);
  const ended = once(child, 'close');
  let output = '';
  child.stdout.on('data', (piece) => {
    output += String(piece);
  });
  await vi.waitFor(() => expect(output).toContain('begin'), 60_000);
  return async (): Promise<ReadonlyMap<number, number>> => {
    child.kill('SIGINT');
    await ended;
    const line = output.split('\n').find((each) => each.includes('"@n"')) ?? '{}';
    const counts: Record<string, number> = JSON.parse(line).data['@n'];
    return new Map(Object.entries(counts).map(([bucket, count]) => [Number(bucket), count]));
  };
}

/** Two processes that wake each other up. */
async function startPair(): Promise<readonly [number, number]> {
  const child = spawn('python3', ['test/live/programs/ping-pong.py']);
  children.push(child);
  const [line] = await once(child.stdout, 'data');
  const [ping = 0, pong = 0] = String(line).trim().split(' ').map(Number);
  return [ping, pong];
}

describe.skipIf(obstacle !== null)(`a recording (${obstacle ?? 'root, bpftrace, decoder'})`, () => {
  let recording: Recording;
  let trace: DecodedTrace;
  let counted: ReadonlyMap<number, number>;
  let pair: readonly [number, number];

  beforeAll(async () => {
    pair = await startPair();
    const stopCounting = await startCounting();
    const soon = setInterval(() => void run('/bin/true'), 300);
    try {
      const reading = await recordTrace(
        ctx,
        { duration_seconds: 3, pid: null, sample_hz: null },
        call,
      );
      recording = reading.data;
    } finally {
      clearInterval(soon);
      counted = await stopCounting();
    }
    trace = await decodeTrace(recording.path, bucket_ns);
  });

  test('is a trace in which the published definitions know every field', () => {
    expect(trace.unknown_fields).toBe(0);
    expect(trace.first_flags).toEqual([1]);
    expect(trace.release).toBe(recording.kernel);
  });

  test('gives a reader that replays it no row that does not fit to the one before', () => {
    expect(trace.errors).toEqual({});
  });

  test('has as many slices as it counts switches, and one for each gap', () => {
    const slices = Object.values(trace.slices).reduce((sum, each) => sum + each, 0);
    expect(slices).toBe(recording.switches + recording.gaps);
  });

  test('has the switches that another bpftrace counted in the same time', () => {
    const from = Math.ceil(recording.from_ns / bucket_ns);
    const to = Math.floor(recording.to_ns / bucket_ns);
    const within = (buckets: Iterable<readonly [number, number]>): number =>
      [...buckets].reduce((sum, [at, n]) => (at >= from && at < to ? sum + n : sum), 0);
    const recorded = within(
      Object.entries(trace.seen_buckets).map(([at, n]) => [Number(at), n] as const),
    );
    // Each of both takes the time of a switch for itself, so one at an edge may be on either side.
    const edges = 2 * Object.keys(trace.slices).length;
    expect(recorded).toBeGreaterThan(300);
    expect(Math.abs(within(counted) - recorded)).toBeLessThanOrEqual(edges + recording.lost_events);
  });

  test('tells who woke whom', () => {
    const [ping, pong] = pair;
    expect(trace.wakings[`${ping} ${pong}`]).toBeGreaterThan(20);
    expect(trace.wakings[`${pong} ${ping}`]).toBeGreaterThan(20);
  });

  test('names processes, and what was started while it ran', () => {
    const [ping] = pair;
    expect(trace.processes[ping]?.[1]).toMatch(/python3 test\/live\/programs\/ping-pong\.py$/);
    const programs = trace.others.flatMap(({ filename }) => filename ?? []);
    expect(programs).toContain('/bin/true');
  });

  test('says what the time is', () => {
    const { 1: realtime_ns = 0, 6: boottime_ns = 0 } = trace.clocks;
    const wall_ms = (realtime_ns + recording.to_ns - boottime_ns) / 1e6;
    expect(Math.abs(Date.now() - wall_ms)).toBeLessThan(100_000);
    expect(boottime_ns).toBeLessThanOrEqual(recording.from_ns);
  });

  test('has counters of each CPU within bounds', () => {
    const values = (trace.counters['CPU 0'] ?? []).map(([, value]) => value);
    expect(values.length).toBeGreaterThanOrEqual(2);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThanOrEqual(100);
    expect(trace.counters['runnable']?.length).toBeGreaterThanOrEqual(2);
  });
});
