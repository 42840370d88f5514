import { describe, expect, test } from 'vitest';
import { collectTriage } from '../../src/collectors/triage.ts';
import { measuredNothing } from '../../src/collectors/triage-steps.ts';
import { overOneSecond } from '../fake-activity.ts';
import { call, fakeHost, type HostFilesNow, scriptedContext } from '../fake-host.ts';

const quick = { mode: 'quick', focus: 'auto', include_exec_trace: false } as const;

const triage = (changes: HostFilesNow = {}, query: Parameters<typeof collectTriage>[1] = quick) => {
  const [before, after] = overOneSecond(changes);
  return collectTriage(scriptedContext(fakeHost(before), [after]), query, call);
};

test('a host within its thresholds is healthy', async () => {
  const { data } = await triage();
  expect(data.healthy).toBe(true);
  expect(data.executive_summary).toMatch(/^Healthy: CPUs .* no figure is beyond its threshold\.$/);
});

describe('where a source is missing', () => {
  test('the host is not called healthy, and what is missing is named', async () => {
    const { data, unavailable } = await triage({ 'proc/diskstats': null });
    expect(data.healthy).toBeNull();
    expect(data.executive_summary).toBe(
      'No figure is beyond its threshold, but disks could not be judged.',
    );
    expect(unavailable.map(({ what }) => what)).toContain('/proc/diskstats');
    expect(data.recommended_actions.join()).not.toContain('Nothing to do');
  });

  test('an area that was not asked for is no reason to doubt the one that was', async () => {
    const { data } = await triage({ 'proc/diskstats': null }, { ...quick, focus: 'network' });
    expect(data.healthy).toBe(true);
  });
});

test('a tracer that brought no figure has measured nothing', () => {
  expect(measuredNothing({ run_queue: null })).toBe(true);
  expect(measuredNothing({})).toBe(true);
  expect(measuredNothing({ blocked: [], blocked_processes: [] })).toBe(false);
});
