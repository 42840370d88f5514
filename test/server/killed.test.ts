import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { programs } from '../../allowlist/programs.ts';
import { createContext } from '../../src/context.ts';
import { connect } from './stdio.ts';

const hasPerf = !(
  'problem' in createContext({ daemon: false, readOnly: false }).find(programs.perf)
);

/** Processes whose command line names the scratch folder of that server. */
function childrenOf(server: number): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words.some((word) => new RegExp(`/tracewright-\\d+-${server}-`).test(word));
    } catch {
      return false;
    }
  });
}

/** Once the server is gone. */
async function expectNothingLeft({ child }: ReturnType<typeof connect>, pid: number) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  await expect.poll(() => childrenOf(pid), { timeout: 2000 }).toEqual([]);
}

test.skipIf(!hasPerf).each(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)(
  'two seconds after %s of the server nothing that it started is left (needs perf)',
  async (signal) => {
    const server = connect(['mcp', '--daemon']);
    const pid = server.child.pid ?? 0;
    const started = await server.call('start_perf_profiling', {
      pid: process.pid,
      duration_secs: 60,
    });
    expect(started.result?.['isError']).toBeFalsy();
    expect(childrenOf(pid)).not.toEqual([]);
    server.child.kill(signal);
    await expectNothingLeft(server, pid);
    // What it can catch it ends by itself, with what it has to write.
    expect(server.child.exitCode === null).toBe(signal === 'SIGKILL');
  },
);

test.skipIf(!hasPerf)('a server whose client goes ends its profile (needs perf)', async () => {
  const server = connect(['mcp', '--daemon']);
  const pid = server.child.pid ?? 0;
  await server.call('start_perf_profiling', { pid: process.pid, duration_secs: 60 });
  server.close();
  await expectNothingLeft(server, pid);
  expect(server.child.exitCode).toBe(0);
});
