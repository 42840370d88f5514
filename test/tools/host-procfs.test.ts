import { describe, expect, test } from 'vitest';
import { createContext } from '../../src/context.ts';
import { surface } from '../../src/surface.ts';
import { call } from '../fake-host.ts';

const context = () => createContext({ daemon: false, readOnly: false });
const named = (name: string) =>
  surface.tools({ readOnly: true }).find((tool) => tool.name === name)!;

/** The least that each tool takes, and what it does not take. */
const cases: [string, Record<string, unknown>, Record<string, unknown>[]][] = [
  ['perf_info', {}, [{ verbose: true }]],
  [
    'perf_snapshot',
    {},
    [
      { interval_sec: 0 },
      { interval_sec: 61 },
      { interval_sec: 1, count: 1 },
      { interval_sec: 1, count: 61 },
      { include_psi: 'yes' },
      { interval: 5 },
    ],
  ],
  ['perf_use_check', {}, [{ duration_seconds: 0 }, { duration_seconds: 1.5 }, { pid: 1 }]],
  [
    'perf_io_latency',
    { duration_seconds: 1 },
    [{ duration_seconds: 31 }, { mode: 'histogram' }, { device: 7 }, { devices: 'sda' }],
  ],
  ['perf_net_health', {}, [{ interface: '' }, { include_tcp_details: 1 }, { iface: 'lo' }]],
  ['perf_cgroup_summary', {}, [{ pid: 0 }, { pid: '1x' }, { cgroup: '/' }]],
  [
    'perf_fd_trace',
    { pid: process.pid, duration_seconds: 1 },
    [
      {},
      { pid: -1 },
      { pid: 1, duration_seconds: 61 },
      { pid: 1, interval_sec: 11 },
      { pid: 1, max_fds_listed: 9 },
      { pid: 1, max_fds_listed: 1001 },
    ],
  ],
];

describe.each(cases)('%s', (name, least, refused) => {
  test('answers with its documented fields, within the size of an answer', async () => {
    const tool = named(name);
    const answer = await surface.callTool(tool, least, context(), call);
    expect(answer).toMatchObject({ success: true, tool: name });
    expect(answer.host).not.toBe('');
    expect(tool.output.safeParse(answer.data).error).toBeUndefined();
    expect(JSON.stringify(answer).length).toBeLessThan(36_000);
    expect(answer.summary.length).toBeGreaterThan(0);
    expect(answer.summary.length).toBeLessThanOrEqual(6);
    expect(answer.source).not.toBe('');
  });

  test.each(refused)('refuses %j and says what it takes', async (args) => {
    await expect(surface.callTool(named(name), args, context(), call)).rejects.toMatchObject({
      code: 'INVALID_PARAMS',
      suggestion: expect.stringMatching(/^Accepted: /),
    });
  });
});

test('rates and shares name their window', async () => {
  for (const [name, least] of cases) {
    if (name === 'perf_info') continue;
    const answer = await surface.callTool(named(name), least, context(), call);
    // A timer of Node.js may be a millisecond early.
    expect(answer.window_ms).toBeGreaterThanOrEqual(999);
  }
});
