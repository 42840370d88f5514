import { expect, test } from 'vitest';
import { createContext } from '../../src/context.ts';
import { aggregatedProcess } from '../../src/resources/aggregated-process.ts';
import { call } from '../stepped-context.ts';

const ctx = createContext({ daemon: false, readOnly: false });
const read = (parameters: Record<string, string>) => aggregatedProcess.read(parameters, ctx, call);

test.each([
  { pid: '1', comm: 'init' },
  { pid: '0' },
  { pid: '12x' },
  { sort: 'size' },
  { comm: '' },
  { window_ms: '99' },
  { limit: '201' },
  { tid: '1' },
])('refuses %j and says what it takes', async (parameters) => {
  const refusal = expect.objectContaining({ code: 'INVALID_PARAMS' });
  await expect(read(parameters)).rejects.toThrow(refusal);
});

test('pid asks for one process, and the rest of the parameters for some', async () => {
  const pid = String(process.pid);
  const alone = await read({ pid, window_ms: '100' });
  expect(alone.data).toMatchObject({ processes: [{ pid: process.pid, self: true }], shown: 1 });
  const few = await read({ sort: 'pid', limit: '2', window_ms: '100' });
  expect(few.data).toMatchObject({ shown: 2, sorted_by: 'pid, lowest first' });
});
