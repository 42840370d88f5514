import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { eventLine, wallClock } from '../../src/cli/watch-line.ts';
import { tracingObstacle } from '../../src/collectors/bpftrace-tracer.ts';
import { createContext } from '../../src/context.ts';

const obstacle = tracingObstacle(createContext({ daemon: false, readOnly: false }), 'events');
const command = ['dist/cli.js', 'watch', '--types', 'system_stat'];

const watch = (...more: readonly string[]) =>
  spawn(process.execPath, [...command, ...more], { stdio: ['ignore', 'pipe', 'pipe'] });

describe.skipIf(obstacle !== null)('tracewright watch (needs root and bpftrace)', () => {
  test('prints one plain line per event into a pipe, nothing else, and ends in time', async () => {
    const child = watch('--duration', '2');
    const exited = once(child, 'exit');
    const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toContain('trace_started');
    expect(lines.slice(1, -1).every((line) => line.includes('system_stat'))).toBe(true);
    expect(lines.at(-1)).toMatch(/trace_stopped .*reason="time limit"/);
    expect(out).not.toContain('\u001b');
    expect(complaints).toBe('');
    expect(await exited).toEqual([0, null]);
  });

  test('prints JSON lines with --json', async () => {
    const child = watch('--json', '--duration', '1');
    const events = (await text(child.stdout))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ seq: 1, type: 'trace_started' });
    expect(events.at(-1)).toMatchObject({ type: 'trace_stopped', lost: 0 });
  });

  test('ends with exit code 0 at Ctrl-C', async () => {
    const child = watch();
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  });

  test('ends with exit code 0 when its reader has seen enough', async () => {
    const child = watch();
    const complaints = text(child.stderr);
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(await complaints).toBe('');
  });
});

test.each([
  [['--types', 'sched_swich'], /sched_swich.*sched_switch/],
  [['--pid', '-5'], /pid/],
  [['--duration', '4000'], /duration/],
])('tracewright watch %j is wrong usage', async (args, said) => {
  const child = spawn(process.execPath, ['dist/cli.js', 'watch', ...args]);
  const complaints = await text(child.stderr);
  if (child.exitCode === null) await once(child, 'exit');
  expect(complaints).toMatch(said);
  expect(child.exitCode).toBe(2);
});

describe('a line of an event', () => {
  const now = new Date(2026, 10, 21, 9, 30, 0, 250);
  const clock = wallClock(now, 5_000_000_000);
  const event = {
    seq: 1,
    type: 'exit',
    ts: 4_000_001_000,
    cpu: 3,
    pid: 7,
    comm: 'a b"c',
    code: null,
  } as const;

  test('has the time of the day, the CPU and the fields that are known', () => {
    expect(eventLine(event, clock, false)).toBe(
      '09:29:59.250001 cpu3   exit               pid=7 comm="a b\\"c"',
    );
  });

  test('is coloured by its type', () => {
    expect(eventLine({ ...event, type: 'alert' }, clock, true)).toContain('\u001b[1;31malert');
  });
});
