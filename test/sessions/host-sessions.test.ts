import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programs } from '../../allowlist/programs.ts';
import { createContext } from '../../src/context.ts';
import { fact, type Session, session } from './session.ts';

const ctx = createContext({ daemon: false, readOnly: false });
const noPerf = ctx.uid !== 0 || 'problem' in ctx.find(programs.perf);

let mcp: Session;
beforeAll(async () => {
  mcp = await session();
});
afterAll(() => mcp.close());

/** The documented fields with what is unavailable beside them. */
async function measured(name: string, args: Record<string, unknown> = {}) {
  const { data, unavailable } = await mcp.call(name, args);
  return { ...Object(data), unavailable };
}

test('triage in standard mode: causes with evidence and actions, or "healthy"', async () => {
  const triage = await measured('perf_triage', { mode: 'standard' });
  fact(triage, 'healthy', 'flag');
  expect(Array.isArray(triage.root_causes)).toBe(true);
  for (const cause of triage.root_causes) {
    expect(cause.confidence).toBeGreaterThan(0);
    expect(cause.suggestedActions.length).toBeGreaterThan(0);
  }
  if (!triage.healthy) fact(triage, 'key_evidence', 'list');
}, 120_000);

test('triage by hand: host, snapshot, USE method, suspicions', async () => {
  const info = await measured('perf_info');
  expect(JSON.stringify(info)).toMatch(/"kernel/);
  const snapshot = await measured('perf_snapshot');
  fact(snapshot, 'cpu.utilization.user', 'percent');
  fact(snapshot, 'memory.available_bytes', 'count');
  const use = await measured('perf_use_check');
  fact(use, 'summary.status', 'text');
  expect(Array.isArray(use.summary.top_suspicions)).toBe(true);
  for (const resource of ['cpu', 'memory', 'disk', 'network'])
    for (const side of ['utilization', 'saturation', 'errors'])
      fact(use, `resources.${resource}.${side}.status`, 'text', `${resource}.${side}`);
});

test.skipIf(noPerf)('CPUs: the functions that use most (needs root and perf)', async () => {
  const profile = await measured('perf_cpu_profile', { duration_seconds: 2 });
  if (profile.total_samples > 0) {
    fact(profile, 'top_functions.0.symbol', 'text');
    fact(profile, 'top_functions.0.percent', 'percent');
  }
  fact(profile, 'cpu_busy_percent', 'percent');
});

test('memory: available, swap, pressure, reclaim', async () => {
  const snapshot = await measured('perf_snapshot', { include_psi: true });
  fact(snapshot, 'memory.available_bytes', 'count');
  fact(snapshot, 'memory.swap_used_bytes', 'count');
  fact(snapshot, 'memory.direct_scan_pages', 'count');
  fact(snapshot, 'pressure.memory.some_avg10', 'number', 'pressure');
  const use = await measured('perf_use_check');
  fact(use, 'resources.memory.saturation.status', 'text');
});

describe('a container', () => {
  test('limits, throttling and memory pressure, or why they are not known', async () => {
    const group = await measured('perf_cgroup_summary', { pid: process.pid });
    fact(group, 'cgroup_path', 'text');
    fact(group, 'cpu.nr_throttled', 'count', 'cpu');
    fact(group, 'cpu.window.throttled_pct', 'percent', 'cpu');
    fact(group, 'memory.current_bytes', 'count', 'memory');
    fact(group, 'memory.pressure', 'number', 'pressure');
  });
});
