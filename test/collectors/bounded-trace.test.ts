import { describe, expect, test } from 'vitest';
import {
  boundedTrace,
  fixOfBest,
  type Rung,
  traceParts,
} from '../../src/collectors/bounded-trace.ts';
import { createContext } from '../../src/context.ts';
import { type ErrorCode, TracewrightError } from '../../src/errors.ts';
import { call } from '../fake-host.ts';

const context = () => createContext({ daemon: false, readOnly: false });
const measured = { source: 'a', window_ms: 1, lost_events: 0, warnings: [] };

function answers(method: string, asked: string[] = []): Rung<string> {
  return {
    method,
    obstacle: () => null,
    measure() {
      asked.push(method);
      return Promise.resolve({ value: method, ...measured });
    },
  };
}

const blocked = (method: string): Rung<string> => ({
  ...answers(method),
  obstacle: () => ({ reason: `no ${method}`, fix: `install ${method}` }),
});

function fails(method: string, code: ErrorCode, asked: string[] = []): Rung<string> {
  return {
    ...answers(method),
    measure() {
      asked.push(method);
      return Promise.reject(new TracewrightError(code, `${method} broke`, 'repair it'));
    },
  };
}

const plan = (rungs: readonly Rung<string>[]) => ({ kind: 'test', duration_ms: 5000, rungs });

test('the first rung without an obstacle answers, and the others say why they did not', async () => {
  const asked: string[] = [];
  const rungs = [blocked('a'), fails('b', 'EXECUTION_FAILED', asked), answers('c', asked)];
  const { traced, skipped } = await boundedTrace(
    context(),
    plan([...rungs, answers('d', asked)]),
    call,
  );
  expect(traced).toMatchObject({ method: 'c', value: 'c' });
  expect(skipped).toEqual([
    { method: 'a', reason: 'no a', fix: 'install a' },
    { method: 'b', reason: 'b broke', fix: 'repair it' },
  ]);
  expect(asked).toEqual(['b', 'c']);
});

test('where no rung can be used, the reading tells all reasons and the first fix', async () => {
  const result = await boundedTrace(context(), plan([blocked('a'), blocked('b')]), call);
  expect(result.traced).toBeNull();
  expect(traceParts(result, 'waits')).toMatchObject({
    method: null,
    unavailable: [{ what: 'waits', reason: 'a: no a b: no b', fix: 'install a' }],
  });
});

test('what a lesser method leaves out is brought by what opens the best', () => {
  const sudo = { method: 'bpftrace', reason: 'Only root.', fix: 'sudo tracewright mcp' };
  const other = { method: 'bcc', reason: 'It is not installed.', fix: 'apt-get install bcc' };
  expect(fixOfBest([sudo, other])).toBe('sudo tracewright mcp');
  expect(fixOfBest([])).toBeNull();
});

test('a rung that failed is not tried again for a minute', async () => {
  const asked: string[] = [];
  let clock_ms = 0;
  const ctx = { ...context(), monotonicMs: () => clock_ms };
  const rungs = [fails('a', 'EXECUTION_FAILED', asked), answers('b', asked)];
  await boundedTrace(ctx, plan(rungs), call);
  clock_ms = 30_000;
  const second = await boundedTrace(ctx, plan(rungs), call);
  expect(second.skipped).toMatchObject([{ method: 'a', reason: 'a broke' }]);
  expect(asked).toEqual(['a', 'b', 'b']);
  clock_ms = 90_000;
  await boundedTrace(ctx, plan(rungs), call);
  expect(asked).toEqual(['a', 'b', 'b', 'a', 'b']);
});

test.each(['INVALID_PARAMS', 'PID_NOT_FOUND', 'CANCELED', 'INTERNAL'] as const)(
  '%s is the answer: no other rung would help',
  async (code) => {
    const run = boundedTrace(context(), plan([fails('a', code), answers('b')]), call);
    await expect(run).rejects.toMatchObject({ code });
  },
);

test('a refusal of one process does not hold for the next', async () => {
  const asked: string[] = [];
  const ctx = context();
  const rungs = [fails('a', 'PERMISSION_DENIED', asked), answers('b', asked)];
  await boundedTrace(ctx, plan(rungs), call);
  await boundedTrace(ctx, plan(rungs), call);
  expect(asked).toEqual(['a', 'b', 'a', 'b']);
});

describe('one tracer of a kind at a time', () => {
  test('a second one is told the seconds left, another kind is not held up', async () => {
    let clock_ms = 1000;
    const ctx = { ...context(), monotonicMs: () => clock_ms };
    let finish = (): void => {};
    const slow: Rung<string> = {
      ...answers('slow'),
      measure: () =>
        new Promise((resolve) => {
          finish = () => resolve({ value: 'slow', ...measured });
        }),
    };
    const first = boundedTrace(ctx, plan([slow]), call);
    clock_ms = 3000;
    const second = boundedTrace(ctx, plan([answers('b')]), call);
    // 5 s of watching and 3 s around it, 2 s of which are over.
    await expect(second).rejects.toMatchObject({
      code: 'PROFILER_BUSY',
      message: 'Another test trace is running; it ends in about 6 s.',
    });
    const other = await boundedTrace(ctx, { ...plan([answers('c')]), kind: 'other' }, call);
    expect(other.traced?.method).toBe('c');
    finish();
    await first;
    await expect(boundedTrace(ctx, plan([answers('d')]), call)).resolves.toBeTruthy();
  });

  test('a failure frees the kind', async () => {
    const ctx = context();
    await expect(boundedTrace(ctx, plan([fails('a', 'INTERNAL')]), call)).rejects.toThrow();
    await expect(boundedTrace(ctx, plan([answers('b')]), call)).resolves.toBeTruthy();
  });
});
