import { expect, test } from 'vitest';
import type { Command } from '../../allowlist/command.ts';
import { parseRunqlat } from '../../parsers/runqlat/runqlat.ts';
import type { Rung } from '../../src/collectors/bounded-trace.ts';
import { bpftraceRung } from '../../src/collectors/bpftrace-rung.ts';
import { runqRungs } from '../../src/collectors/runq-rungs.ts';
import { syscallRungs } from '../../src/collectors/syscall-rungs.ts';
import type { Context } from '../../src/context.ts';
import type { Finished } from '../../src/exec/start.ts';
import { ended } from '../ended.ts';
import { fakeBpftrace } from '../fake-bpftrace.ts';
import { call, fakeHost, scriptedContext } from '../fake-host.ts';

const began = '{"type": "printf", "data": "began"}';
const counted = [
  '{"type": "map", "data": {"@from": 1000000000}}',
  '{"type": "hist", "data": {"@wait": [{"min": 1, "max": 1, "count": 61}]}}',
  '{"type": "stats", "data": {"@wait_ns": {"count": 61, "average": 1500, "total": 91500}}}',
  '{"type": "map", "data": {"@until": 2000000000}}',
];

/** A bpftrace that prints this and then ends so. */
function measure(lines: readonly string[], end: Partial<Finished> = {}) {
  const start: Context['start'] = (_command, options) =>
    Promise.resolve({
      pid: 900,
      finished: new Promise((resolve) => {
        setImmediate(() => {
          options?.onStdout?.(`${lines.join('\n')}\n`);
          resolve({ ...ended, ...end });
        });
      }),
      printMaps: () => {},
      stop: () => {},
      control: () => {
        throw new Error('no control pipe');
      },
    });
  const ctx = scriptedContext(fakeHost({ 'proc/stat': '' }), [], {
    ...fakeBpftrace([]).parts,
    script: (name) => ({ path: `/scripts/${name}.bt`, text: 'printf("began")' }),
    start,
  });
  // What waits for a while waits for the end here: the clock does not move.
  const sleep: Context['sleep'] = () => new Promise(() => {});
  const plan = {
    script: 'runqlat',
    duration_ms: 1000,
    parameters: [1000, 0, 0],
    needs: {},
  } as const;
  return bpftraceRung({ ...ctx, sleep }, { ...plan, parse: parseRunqlat }).measure(call);
}

const few_tasks = '0.00 0.00 0.00 1/98 700\n';

/** How many keys a map of the program may hold. */
async function keysOf(
  rungOf: (ctx: Context) => Rung<unknown> | undefined,
  loadavg: string | null = few_tasks,
): Promise<number> {
  let started: Command | undefined;
  const host = fakeHost({
    'sys/devices/system/cpu/online': '0-1\n',
    ...(loadavg === null ? {} : { 'proc/loadavg': loadavg }),
  });
  const ctx = scriptedContext(host, [], {
    ...fakeBpftrace([]).parts,
    script: (name) => ({ path: `/scripts/${name}.bt`, text: 'printf("began")' }),
    start(command) {
      started = command;
      return Promise.reject(new Error('not started'));
    },
  });
  await expect(rungOf(ctx)?.measure(call)).rejects.toThrow('not started');
  return Number(started?.environment['BPFTRACE_MAX_MAP_KEYS']);
}

const runq = { duration_ms: 1000, pid: null, unit: 'us' } as const;
const inAll = (ctx: Context) => runqRungs(ctx, { ...runq, group: 'none' })[0];
const byProcess = (ctx: Context) => runqRungs(ctx, { ...runq, group: 'process' })[0];

test('maps of tasks have room for four times the tasks of the host, and not for any number', async () => {
  expect(await keysOf(inAll)).toBe(8192);
  expect(await keysOf(inAll, '0.00 0.00 0.00 1/3000 700\n')).toBe(12_000);
  expect(await keysOf(inAll, '0.00 0.00 0.00 1/30000 700\n')).toBe(32_768);
});

test('a host that does not tell its tasks may have any number', async () => {
  expect(await keysOf(inAll, null)).toBe(32_768);
});

test('what is told of each process has all the room', async () => {
  const calls = { duration_ms: 1000, pid: null, latency: true, failed_only: false };
  const bySyscall = (tasks: boolean) => (ctx: Context) => syscallRungs(ctx, { ...calls, tasks })[0];
  expect(await keysOf(byProcess)).toBe(32_768);
  expect(await keysOf(bySyscall(true))).toBe(32_768);
  expect(await keysOf(bySyscall(false))).toBe(8192);
});

test('what the program counted is told with its own window', async () => {
  const { value, window_ms, warnings } = await measure([began, ...counted]);
  expect(value.all.count).toBe(61);
  expect(window_ms).toBe(1000);
  expect(warnings).toEqual([]);
});

test('a program that was killed before it told anything has not counted 0', async () => {
  const killed = measure([began], { exit_code: null, signal: 'SIGKILL' });
  await expect(killed).rejects.toMatchObject({ code: 'EXECUTION_FAILED' });
  await expect(killed).rejects.toThrow(/ended \(SIGKILL\) before it told what it had counted/);
});

test('a program that ended in the midst of telling says so', async () => {
  const { value, warnings } = await measure([began, ...counted.slice(0, 3)], { exit_code: 1 });
  expect(value.all.count).toBe(61);
  expect(warnings).toEqual(['bpftrace ended before it had told everything.']);
});
