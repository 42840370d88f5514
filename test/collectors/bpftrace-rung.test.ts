import { expect, test } from 'vitest';
import { parseRunqlat } from '../../parsers/runqlat/runqlat.ts';
import { bpftraceRung } from '../../src/collectors/bpftrace-rung.ts';
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
