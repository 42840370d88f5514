import { afterEach, beforeEach, expect, test } from 'vitest';
import { cpuProfileRungs } from '../../src/collectors/cpu-profile-rungs.ts';
import { type FakeProc, fakeProc } from '../fake-proc.ts';
import { call, steppedContext } from '../stepped-context.ts';

let host: FakeProc;
beforeEach(() => {
  host = fakeProc();
});
afterEach(() => host.dispose());

const query = {
  duration_ms: 1000,
  rate_hz: 99,
  target: { scope: 'all' },
  include_kernel: true,
} as const;

test('CPU time by process says how many processes ended, whose time is not in it', async () => {
  host.write({ pid: 7, run_ns: 1e9 });
  host.write({ pid: 8, run_ns: 1e9 });
  const ctx = steppedContext(host.root, [
    () => {
      host.write({ pid: 7, run_ns: 1.4e9 });
      host.remove(8);
    },
  ]);
  const rung = cpuProfileRungs(ctx, query).find(({ method }) => method === 'procfs');
  const measured = await rung?.measure(call);
  expect(measured?.value.cpu_time).toMatchObject([{ pid: 7, cpu_ms: 400 }]);
  expect(measured?.warnings.join()).toContain('1 processes ended within the window');
});
