import { describe, expect, test } from 'vitest';
import type { UseFacts } from '../../src/analysis/use-facts.ts';
import { unjudged, useReport, useSignals } from '../../src/analysis/use-method.ts';

const healthy: UseFacts = {
  cpu: {
    cpus: 4,
    busy_pct: 20,
    steal_pct: 0,
    run_queue: 1,
    stalled_some_pct: 1,
    hardware_events: 0,
  },
  memory: {
    used_pct: 40,
    swap_used_pct: 0,
    swap_pages: 0,
    stalled_some_pct: 0,
    stalled_full_pct: 0,
    oom_kills: 0,
    corrupted_bytes: 0,
  },
  disk: {
    devices: [{ name: 'sda', busy_pct: 10, queue: 0.2, wait_ms: 2, requests: 100 }],
    stalled_some_pct: 0,
    stalled_full_pct: 0,
    filesystem_errors: 0,
  },
  network: {
    links: [{ name: 'eth0', used_pct: 5, drops_per_s: 0, errors_per_s: 0, errors: 0 }],
    retransmits: 0,
    retransmit_pct: 0,
    listen_drops_per_s: 0,
    udp_drops_per_s: 0,
  },
};

type Changes = { [R in keyof UseFacts]?: Partial<UseFacts[R]> };

const check = (changes: Changes = {}) => {
  const facts = {
    cpu: { ...healthy.cpu, ...changes.cpu },
    memory: { ...healthy.memory, ...changes.memory },
    disk: { ...healthy.disk, ...changes.disk },
    network: { ...healthy.network, ...changes.network },
  };
  return useReport(useSignals(facts), unjudged(facts));
};

const disk = (parts: object) => ({
  devices: [{ name: 'sda', busy_pct: 0, queue: 0, wait_ms: null, requests: 0, ...parts }],
});
const link = (parts: object) => ({
  links: [{ name: 'eth0', used_pct: null, drops_per_s: 0, errors_per_s: 0, errors: 0, ...parts }],
});

test('a host within its thresholds is healthy, with no suspicion', () => {
  const { summary, suspicions, resources } = check();
  expect(summary).toEqual({ status: 'healthy', top_suspicions: [] });
  expect(suspicions).toEqual([]);
  expect(resources.cpu.utilization).toMatchObject({ value: 20, status: 'ok', unit: 'percent' });
});

describe('the documented thresholds', () => {
  type Case = [string, 'ok' | 'warning' | 'critical', Changes];
  const utilization: Case[] = [
    ['cpu', 'ok', { cpu: { busy_pct: 70 } }],
    ['cpu', 'warning', { cpu: { busy_pct: 70.1 } }],
    ['cpu', 'critical', { cpu: { busy_pct: 90.1 } }],
    ['memory', 'ok', { memory: { used_pct: 80 } }],
    ['memory', 'warning', { memory: { used_pct: 80.1 } }],
    ['memory', 'critical', { memory: { used_pct: 90.1 } }],
    ['disk', 'ok', { disk: disk({ busy_pct: 60 }) }],
    ['disk', 'warning', { disk: disk({ busy_pct: 60.1 }) }],
    ['disk', 'critical', { disk: disk({ busy_pct: 80.1 }) }],
  ];
  const saturation: Case[] = [
    ['cpu', 'ok', { cpu: { run_queue: 4 } }],
    ['cpu', 'warning', { cpu: { run_queue: 4.1 } }],
    ['cpu', 'critical', { cpu: { run_queue: 8.1 } }],
    ['cpu', 'warning', { cpu: { stalled_some_pct: 10.1 } }],
    ['cpu', 'critical', { cpu: { stalled_some_pct: 25.1 } }],
    ['memory', 'warning', { memory: { swap_used_pct: 10.1 } }],
    ['memory', 'critical', { memory: { swap_used_pct: 50.1, swap_pages: 9 } }],
    ['memory', 'warning', { memory: { stalled_full_pct: 5.1 } }],
    ['memory', 'critical', { memory: { stalled_full_pct: 15.1 } }],
    ['disk', 'warning', { disk: disk({ queue: 2.1 }) }],
    ['disk', 'critical', { disk: disk({ queue: 8.1 }) }],
    ['disk', 'warning', { disk: disk({ wait_ms: 20.1, requests: 10 }) }],
    ['disk', 'critical', { disk: disk({ wait_ms: 50.1, requests: 10 }) }],
    ['disk', 'critical', { disk: { stalled_some_pct: 25.1 } }],
    ['network', 'warning', { network: link({ drops_per_s: 1.1 }) }],
    ['network', 'critical', { network: link({ drops_per_s: 100.1 }) }],
    ['network', 'warning', { network: { listen_drops_per_s: 1.1 } }],
  ];
  const errors: Case[] = [
    ['network', 'ok', { network: { retransmit_pct: 1, retransmits: 50 } }],
    ['network', 'warning', { network: { retransmit_pct: 1.1, retransmits: 50 } }],
    ['network', 'critical', { network: { retransmit_pct: 5.1, retransmits: 50 } }],
    ['network', 'warning', { network: link({ errors_per_s: 1, errors: 1 }) }],
    ['memory', 'critical', { memory: { oom_kills: 1 } }],
    ['cpu', 'warning', { cpu: { hardware_events: 1 } }],
    ['disk', 'warning', { disk: { filesystem_errors: 1 } }],
  ];
  const all = [
    ...utilization.map((each) => ['utilization', ...each] as const),
    ...saturation.map((each) => ['saturation', ...each] as const),
    ...errors.map((each) => ['errors', ...each] as const),
  ];

  test.each(all)('%s of %s is %s: %j', (aspect, resource, status, changes) => {
    const { resources, summary } = check(changes);
    const found = Object.entries(resources).find(([name]) => name === resource)?.[1];
    expect(found?.[aspect].status).toBe(status);
    expect(summary.status).toBe(status === 'ok' ? 'healthy' : status);
  });
});

test('pressure and queues keep their own figures and thresholds', () => {
  const { resources } = check({ disk: { ...disk({ queue: 0.5 }), stalled_some_pct: 9 } });
  // A percent of 9 held against the thresholds of a queue (2, 8) would be critical.
  expect(resources.disk.saturation).toMatchObject({
    status: 'ok',
    metric: 'queue',
    value: 0.5,
    measures: { queue: 0.5, stalled_some_pct: 9, stalled_full_pct: 0 },
  });
});

test('a saturation is told by the figure that is worst', () => {
  const { resources } = check({ cpu: { run_queue: 5, stalled_some_pct: 60 } });
  expect(resources.cpu.saturation).toMatchObject({
    status: 'critical',
    metric: 'stalled_some_pct',
    value: 60,
    unit: 'percent',
  });
  expect(resources.cpu.saturation.detail).toContain('5 tasks run or wait on 4 CPUs');
});

test('waits for a CPU while the CPUs have room point to a throttled group', () => {
  const said = (cpu: Partial<UseFacts['cpu']>) =>
    check({ cpu: { stalled_some_pct: 80, ...cpu } }).resources.cpu.saturation.detail;
  expect(said({ busy_pct: 30, run_queue: 2 })).toContain('a cgroup may be throttled');
  expect(said({ busy_pct: 98, run_queue: 2 })).not.toContain('cgroup');
  expect(said({ busy_pct: 30, run_queue: 9 })).not.toContain('cgroup');
  expect(said({ busy_pct: 30, run_queue: 2, throttled: false })).not.toContain('cgroup');
});

describe('what rests on too little', () => {
  test('a slow request or two make no disk slow', () => {
    const { resources } = check({ disk: disk({ wait_ms: 400, requests: 2 }) });
    expect(resources.disk.saturation.status).toBe('ok');
    expect(resources.disk.saturation.measures['wait_ms']).toBeNull();
  });

  test('a few segments sent again are no loss rate', () => {
    const { resources } = check({ network: { retransmit_pct: 25, retransmits: 1 } });
    expect(resources.network.errors.status).toBe('ok');
  });

  test('swap that is full and stands still is no more than a warning', () => {
    expect(check({ memory: { swap_used_pct: 95 } }).summary.status).toBe('warning');
  });
});

describe('what is not known', () => {
  test('is null and not ok', () => {
    const { resources, summary } = check({
      disk: { devices: null, stalled_some_pct: null, stalled_full_pct: null },
    });
    expect(resources.disk.utilization).toMatchObject({ value: null, status: null, metric: null });
    expect(resources.disk.saturation).toMatchObject({ value: null, status: null });
    expect(summary.status).toBeNull();
  });

  test('gives no verdict where nothing is known', () => {
    const signals = useSignals(healthy).map((each) => ({ ...each, value: null, status: null }));
    expect(useReport(signals, []).summary.status).toBeNull();
  });

  test.each<[string, Changes]>([
    ['CPU use', { cpu: { busy_pct: null } }],
    ['memory', { memory: { used_pct: null } }],
    ['disks', { disk: { devices: null } }],
    ['disks', { disk: disk({ busy_pct: null }) }],
    ['interfaces', { network: { links: null } }],
    ['interfaces', { network: link({ drops_per_s: null, errors_per_s: null }) }],
    ['TCP', { network: { retransmits: null } }],
  ])('does not call a host healthy whose %s nobody could judge', (_what, changes) => {
    expect(check(changes).summary.status).toBeNull();
  });

  test('of errors on links is no count of 0', () => {
    const { resources } = check({
      network: { ...link({ errors_per_s: null, errors: null }), retransmits: null },
    });
    expect(resources.network.errors.count).toBeNull();
  });

  test('is no reason to pass over what is beyond its threshold', () => {
    const { summary } = check({ disk: { devices: null }, cpu: { busy_pct: 99 } });
    expect(summary.status).toBe('critical');
  });

  test('a host without disks, and one without any error counters, can be healthy', () => {
    const none = { devices: [], filesystem_errors: null };
    expect(check({ disk: none, cpu: { hardware_events: null } }).summary.status).toBe('healthy');
  });

  test('does not hide a figure of the same kind that is known', () => {
    const { resources } = check({ cpu: { stalled_some_pct: null, run_queue: 9 } });
    expect(resources.cpu.saturation).toMatchObject({ status: 'critical', value: 9 });
  });
});

describe('suspicions', () => {
  const sick = check({
    cpu: { busy_pct: 75 },
    memory: { oom_kills: 2, used_pct: 85 },
    disk: { ...disk({ busy_pct: 99, queue: 30 }), stalled_some_pct: 12 },
    network: { retransmit_pct: 2, retransmits: 40 },
  });

  test('come by severity, then by how far they are beyond the threshold', () => {
    const statuses = sick.suspicions.map(({ status }) => status);
    expect(statuses).toEqual([...statuses].sort());
    expect(sick.suspicions[0]).toMatchObject({ metric: 'queue', value: 30 });
    expect(sick.summary.status).toBe('critical');
  });

  test('are at most five in the summary, all in the list', () => {
    expect(sick.summary.top_suspicions).toHaveLength(5);
    expect(sick.suspicions.length).toBeGreaterThan(5);
    expect(sick.summary.top_suspicions[0]).toBe(
      'disk saturation critical: 30 requests under way on sda',
    );
  });

  test('carry their thresholds, so that they can be evidence', () => {
    expect(sick.suspicions.find(({ metric }) => metric === 'retransmit_pct')).toMatchObject({
      thresholds: { warning: 1, critical: 5 },
      count: 40,
    });
  });
});
