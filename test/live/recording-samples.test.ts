import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { tracingObstacle } from '../../src/collectors/bpftrace-tracer.ts';
import { type Context, createContext } from '../../src/context.ts';
import { type Recording, recordTrace } from '../../src/recordings/record-trace.ts';
import { callTool } from '../../src/tools/call.ts';
import { profileView } from '../../src/tools/host/profile-view.ts';
import { call } from '../stepped-context.ts';
import { type DecodedTrace, decoder, decodeTrace } from './perfetto/decoded-trace.ts';
import { written } from './started.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 });

const room = mkdtempSync(join(tmpdir(), 'tracewright-samples-'));
const kept = join(room, 'perf.data');
const plain = createContext({
  ...{ daemon: false, readOnly: false },
  stateFolder: room,
  importRoots: [room],
});
/** What perf recorded is put aside before it is removed, to be read by perf itself. */
const ctx: Context = {
  ...plain,
  scratch: {
    ...plain.scratch,
    remove(file) {
      const path = written(plain.scratch.path(file), file);
      if (file === 'recording-samples.data' && existsSync(path)) copyFileSync(path, kept);
      plain.scratch.remove(file);
    },
  },
};

const obstacle =
  tracingObstacle(ctx, 'recording')?.reason ??
  (existsSync('/usr/bin/perf') ? null : 'needs perf') ??
  (existsSync(decoder) ? null : 'test/live/perfetto/install.sh was not run');

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(room, { recursive: true, force: true });
});

/** Computes, and says so once it does. */
const busy =
  'import sys\nprint(1, flush=True)\ndef burn(n):\n  while True: n = n * 7 % 1000003\nburn(3)';

describe.skipIf(obstacle !== null)(
  `call stacks (${obstacle ?? 'root, bpftrace, perf, decoder'})`,
  () => {
    let recording: Recording;
    let trace: DecodedTrace;
    let pid: number;

    beforeAll(async () => {
      const child = spawn('python3', ['-c', busy]);
      children.push(child);
      await once(child.stdout, 'data');
      pid = child.pid ?? 0;
      const request = { duration_seconds: 3, pid: null, sample_hz: 199 };
      recording = (await recordTrace(ctx, request, call)).data;
      trace = await decodeTrace(recording.path, 10_000_000);
    });

    test('are as many as perf script prints of the time that was recorded', () => {
      const args = ['script', '-i', kept, '--ns', '-F', 'time'];
      const text = execFileSync('perf', args, { encoding: 'utf8', maxBuffer: 1e9 });
      const times = [...text.matchAll(/^\s*(\d+)\.(\d{9}):/gm)].map(
        ([, seconds, ns]) => Number(seconds) * 1e9 + Number(ns),
      );
      const within = times.filter((ts) => ts >= recording.from_ns && ts <= recording.to_ns);
      expect(times.length).toBe(
        (recording.stack_samples?.samples ?? 0) + (recording.stack_samples?.outside ?? 0),
      );
      expect(within.length).toBeGreaterThan(100);
      expect(trace.stack_samples.map(({ ts }) => ts).sort()).toEqual(within.sort());
      expect(trace.unknown_fields).toBe(0);
    });

    test('are the samples of a trace that is made of the same file of perf', async () => {
      const args = { capture: kept, view: 'profile.pftrace' };
      const { data } = await callTool(profileView, args, ctx, call);
      const made = await decodeTrace(String(Object(data).file), 10_000_000);
      expect(made.unknown_fields).toBe(0);
      const { samples = 0, outside = 0 } = recording.stack_samples ?? {};
      expect(made.stack_samples.length).toBe(samples + outside);
      expect(made.threads[pid]).toEqual([pid, 'python3']);
      // perf script cuts times to microseconds where it is not told otherwise.
      const near = new Set(
        trace.stack_samples.map(({ ts, tid }) => `${tid} ${Math.floor(ts / 1e3)}`),
      );
      const found = made.stack_samples.filter(({ ts, tid }) =>
        near.has(`${tid} ${Math.floor(ts / 1e3)}`),
      );
      expect(found.length).toBe(samples);
    });

    test('of a process that computes were taken where the recording says that it ran', () => {
      // Who runs on a CPU is known from the first switch there on; a switch that was lost is not known.
      const own = trace.stack_samples.filter(
        ({ pid: owner, ts, cpu }) => owner === pid && ts >= (trace.rows[cpu]?.[0]?.begin ?? ts + 1),
      );
      const elsewhere = own.filter(
        ({ ts, cpu, tid }) =>
          !trace.rows[cpu]?.some(
            (row) => row.pid === tid && row.begin <= ts && ts <= (row.end ?? recording.to_ns),
          ),
      );
      expect(own.length).toBeGreaterThan(20);
      expect(elsewhere.length).toBeLessThanOrEqual(
        0.05 * own.length + recording.lost_events + recording.gaps,
      );
    });

    test('name functions and files, outermost first', () => {
      const frames = trace.stack_samples
        .filter((sample) => sample.pid === pid)
        .flatMap((sample) => sample.frames);
      expect(frames.some(([, path]) => /python3|libpython/.test(path))).toBe(true);
      const idle = trace.stack_samples.find(({ tid, frames: own }) => tid === 0 && own.length > 3);
      if (idle) expect(idle.mode).toBe(1);
    });
  },
);
