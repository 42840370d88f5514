import { describe, expect, test } from 'vitest';
import { triageCauses } from '../../src/analysis/triage-causes.ts';
import type { TriageFacts, TriageProcess } from '../../src/analysis/triage-facts.ts';
import { triageFindings } from '../../src/analysis/triage-findings.ts';
import type { UseSignal } from '../../src/analysis/use-facts.ts';

const calm: TriageFacts = {
  focus_pid: null,
  cpus: 4,
  signals: [],
  processes: [],
  busy_pct: 5,
  iowait_pct: 0,
  memory_total_bytes: 8e9,
  major_faults_per_s: 0,
  refaults: { per_s: 0, share_pct: null },
  forks_per_s: 2,
  switches_per_s: 900,
  throttled: [],
  memory_limited: [],
  run_queue: { p99_us: 40, waits: 900 },
  block: { ios: 4, p99_us: 300_000, avg_us: 900 },
  slow_files: [],
  execs: null,
  functions: null,
  blocked: null,
  blocked_processes: null,
  syscalls: null,
  names: null,
  fds: null,
};

const signal = (resource: UseSignal['resource'], metric: string, value: number): UseSignal => ({
  resource,
  aspect: 'saturation',
  metric,
  value,
  unit: 'percent',
  thresholds: { warning: 10, critical: 50 },
  status: value > 50 ? 'critical' : 'warning',
  detail: `${metric} ${value}`,
});

const process = (pid: number, comm: string, parts: Partial<TriageProcess>): TriageProcess => ({
  pid,
  comm,
  cpu_pct: 0,
  wait_pct: 0,
  rss_bytes: 1e7,
  io_bytes_per_s: 0,
  state: 'R',
  ...parts,
});

const causesOf = (parts: Partial<TriageFacts>) => {
  const facts = { ...calm, ...parts };
  return triageCauses(facts, triageFindings(facts));
};

test('a calm host has no finding and no cause', () => {
  expect(triageFindings(calm)).toEqual([]);
  expect(causesOf({})).toEqual([]);
});

test('waits of threads add up, and the finding says so', () => {
  const [found] = triageFindings({ ...calm, processes: [process(7, 'pool', { wait_pct: 265 })] });
  expect(found?.title).toBe('pool (7) waits for a CPU 265 % of the time, all its threads added up');
});

const hog = { busy_pct: 99, processes: [process(7, 'hog', { cpu_pct: 390 })] };
const busy = [signal('cpu', 'busy_pct', 99), signal('cpu', 'run_queue', 60)];

describe('the first cause', () => {
  test.each<[string, string, Partial<TriageFacts>]>([
    ['a process that uses all CPUs', 'cpu_hog', { ...hog, signals: busy }],
    ['a storm of processes', 'process_storm', { ...hog, signals: busy, forks_per_s: 2000 }],
    [
      'a limit of a cgroup',
      'cgroup_cpu_limit',
      { throttled: [{ path: '/app', throttled_pct: 90 }] },
    ],
    [
      'memory that is used up',
      'memory_pressure',
      {
        signals: [signal('memory', 'used_pct', 95), signal('memory', 'stalled_some_pct', 40)],
        processes: [process(9, 'eater', { rss_bytes: 6e9 })],
      },
    ],
    [
      'a limit that makes a group read the same pages again and again',
      'memory_pressure',
      {
        signals: [
          signal('disk', 'busy_pct', 99),
          signal('disk', 'queue', 9),
          signal('disk', 'stalled_some_pct', 60),
          signal('disk', 'stalled_full_pct', 60),
          signal('memory', 'stalled_some_pct', 40),
        ],
        iowait_pct: 60,
        block: { ios: 9000, p99_us: 40_000, avg_us: 900 },
        processes: [process(9, 'reader', { io_bytes_per_s: 9e8 })],
        refaults: { per_s: 200_000, share_pct: 98 },
        memory_limited: [{ path: '/small', hits_per_s: 900, memory_bytes: 48e6 }],
      },
    ],
    [
      'a process that keeps a disk busy',
      'disk_saturation',
      {
        signals: [signal('disk', 'busy_pct', 99)],
        processes: [process(9, 'dd', { io_bytes_per_s: 2e8 })],
      },
    ],
    ['lost segments', 'network_loss', { signals: [signal('network', 'retransmit_pct', 12)] }],
    [
      'slow names',
      'slow_name_lookups',
      { names: { count: 3, avg_ms: 900, host: 'a.example', unanswered: null } },
    ],
    [
      'a name server that says nothing',
      'slow_name_lookups',
      {
        names: {
          ...{ count: 0, avg_ms: null, host: null },
          unanswered: { host: 'a.example', comm: 'curl', waited_ms: 8000 },
        },
      },
    ],
    [
      'locks of the process in question, beside somebody who uses the CPUs',
      'lock_contention',
      {
        ...hog,
        signals: busy,
        focus_pid: 8,
        processes: [...hog.processes, process(8, 'locked', {})],
        blocked: [{ wait_type: 'lock', blocked_ms: 2000, percent: 90, waits: 300 }],
        blocked_processes: [{ pid: 8, comm: 'locked', blocked_ms: 2000, wait_type: 'lock' }],
      },
    ],
    [
      'descriptors of the process in question, beside somebody who uses the CPUs',
      'fd_leak',
      {
        ...hog,
        signals: busy,
        focus_pid: 8,
        processes: [...hog.processes, process(8, 'leak', { cpu_pct: 2, wait_pct: 30 })],
        fds: { growth_per_s: 10, total: 500, limit: 1024, leak: true },
      },
    ],
    [
      'descriptors that grow',
      'fd_leak',
      { fds: { growth_per_s: 10, total: 500, limit: 1024, leak: true } },
    ],
  ])('of %s is %s', (_what, id, facts) => {
    const [first] = causesOf(facts);
    expect(first?.id).toBe(id);
    expect(first?.supportingFindings).not.toEqual([]);
  });

  test('names who is to blame', () => {
    expect(causesOf({ ...hog, signals: busy })[0]?.title).toContain('hog (7)');
  });
});

test('agreement raises the confidence, contradiction lowers it', () => {
  const alone = causesOf({ ...hog, signals: busy.slice(0, 1) })[0]?.confidence ?? 0;
  const agreed = causesOf({ ...hog, signals: busy })[0]?.confidence ?? 0;
  const contradicted = causesOf({ ...hog, signals: busy, forks_per_s: 2000 }).find(
    (cause) => cause.id === 'cpu_hog',
  );
  expect(agreed).toBeGreaterThan(alone);
  expect(contradicted?.confidence ?? 0).toBeLessThan(alone);
  expect(contradicted?.contradicting).not.toEqual([]);
});

test('a cause that all figures but one speak for is not as sure as one that all do', () => {
  const disk = ['busy_pct', 'queue', 'wait_ms', 'stalled_some_pct', 'stalled_full_pct'];
  const facts = {
    signals: disk.map((metric) => signal('disk', metric, 99)),
    processes: [process(9, 'dd', { io_bytes_per_s: 2e8 })],
  };
  expect(causesOf(facts)[0]?.confidence).toBe(95);
  const reread = causesOf({ ...facts, refaults: { per_s: 90_000, share_pct: 100 } });
  expect(reread.find(({ id }) => id === 'disk_saturation')?.confidence).toBe(70);
});

test('a group that meets its memory limit while nobody waits is healthy', () => {
  const full = { memory_limited: [{ path: '/app', hits_per_s: 300, memory_bytes: 1e9 }] };
  expect(triageFindings({ ...calm, ...full }).map(({ severity }) => severity)).toEqual(['info']);
  expect(causesOf(full)).toEqual([]);
});

test('waits for a CPU that only our own tracers saw are no warning', () => {
  const late = { run_queue: { p99_us: 30_000, waits: 900 } };
  const stalled = signal('cpu', 'stalled_some_pct', 2);
  const severities = (facts: Partial<TriageFacts>) =>
    triageFindings({ ...calm, ...late, ...facts }).map(({ severity }) => severity);
  expect(severities({ signals: [{ ...stalled, status: 'ok' }] })).toEqual(['info']);
  expect(severities({})).toEqual(['critical']);
});

test('a slow request among few says nothing', () => {
  expect(triageFindings({ ...calm, block: { ios: 9, p99_us: 900_000, avg_us: 900_000 } })).toEqual(
    [],
  );
});

test('threads that wait for work, seldom and long, contend for nothing', () => {
  const idle = [{ wait_type: 'lock', blocked_ms: 12_000, percent: 95, waits: 4 }];
  expect(triageFindings({ ...calm, blocked: idle })).toEqual([]);
});

test('what was not measured is no finding', () => {
  const unknown = { ...calm, run_queue: null, block: null, throttled: null, busy_pct: null };
  expect(triageFindings(unknown)).toEqual([]);
});
