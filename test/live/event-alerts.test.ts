import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { tracingObstacle } from '../../src/collectors/bpftrace-tracer.ts';
import { createContext } from '../../src/context.ts';
import { connect } from '../server/stdio.ts';

const obstacle = tracingObstacle(createContext({ daemon: true, readOnly: false }), 'events');
const canLoad = existsSync('/usr/bin/stress-ng') && availableParallelism() > 1;

const groups: number[] = [];

/** Runs until the end of the test, with all that it starts. */
function load(program: string, ...args: readonly string[]): number {
  const { pid = 0 } = spawn(program, args, { stdio: 'ignore', detached: true });
  groups.push(pid);
  return pid;
}

afterEach(() => {
  for (const pid of groups.splice(0)) process.kill(-pid, 'SIGKILL');
});

type Alert = Readonly<Record<string, unknown>>;

const isLatency = ({ rule, cpu }: Alert): boolean => rule === 'wakeup_latency' && cpu === 1;

/** The first alert that is wanted, of those of the first seconds. */
async function alertOf(isWanted: (alert: Alert) => boolean, provoke: () => void) {
  const server = connect(['mcp', '--daemon']);
  await server.call('control_event_tracking', { action: 'start', types: 'alert', duration_s: 60 });
  provoke();
  let found: Alert | undefined;
  for (let time = 0; time < 20 && !found; time++) {
    const { result } = await server.call('read_events', {
      types: 'alert',
      limit: 1,
      wait_ms: 2000,
    });
    const { events }: { events: readonly Alert[] } = Object(Object(result)['structuredContent'])[
      'data'
    ];
    found = events.find(isWanted);
  }
  server.close();
  return found;
}

describe.skipIf(obstacle !== null || !canLoad)(
  'an alert (needs root, bpftrace, stress-ng and two CPUs)',
  { timeout: 120_000 },
  () => {
    test('comes when task after task waits too long for one CPU, with the worst of them', async () => {
      const spikes =
        'setInterval(() => { const end = Date.now() + 20; while (Date.now() < end); }, 23)';
      const alert = await alertOf(isLatency, () => {
        // A real-time task takes the CPU for 20 ms at a time; many others wake up meanwhile.
        load('taskset', '-c', '1', 'chrt', '-f', '10', process.execPath, '-e', spikes);
        load('taskset', '-c', '1', 'stress-ng', '--nanosleep', '4', '--quiet');
      });
      expect(alert).toMatchObject({ type: 'alert', count: 15, threshold_us: 1000 });
      expect(alert?.['max_latency_us']).toBeGreaterThan(1000);
      expect(alert?.['max_latency_us']).toBeLessThan(1_000_000);
      expect(Number(alert?.['since_ts'])).toBeLessThan(Number(alert?.['ts']));
      expect(alert?.['message']).toContain('in a row');
    });

    test('comes when a process is moved between CPUs again and again', async () => {
      let moved = 0;
      const moves = `const { execFileSync } = require('node:child_process'); let n = 0;
        setInterval(() => execFileSync('taskset', ['-p', '-c', String(n++ % 2), String(process.pid)]), 100);`;
      const alert = await alertOf(
        ({ rule, tgid }) => rule === 'migrations' && tgid === moved,
        () => {
          moved = load(process.execPath, '-e', moves);
        },
      );
      expect(alert).toMatchObject({ type: 'alert', count: 9, window_ms: 7000 });
      expect(alert?.['span_ms']).toBeLessThanOrEqual(7000);
    });
  },
);
