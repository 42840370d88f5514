import type { Topology } from '../../src/collectors/topology.ts';
import type { ReportData } from '../../src/report/report-data.ts';

/** Two nodes with two caches each, of four cores with two threads each. */
const llcs = [0, 1, 2, 3];
const cpus = Array.from({ length: 32 }, (_, id) => id);
const of_llc = (llc: number): number[] => cpus.filter((cpu) => Math.floor((cpu % 16) / 4) === llc);

const topology: Topology = {
  cpus: cpus.map((id) => ({
    id,
    core_id: id % 16,
    llc_id: Math.floor((id % 16) / 4),
    l2_id: null,
    package_id: 0,
    node_id: id % 16 < 8 ? 0 : 1,
    smt_sibling_cpus: [(id + 16) % 32],
    core_type: null,
    capacity: null,
    min_freq_hz: null,
    max_freq_hz: null,
    base_freq_hz: null,
  })),
  cores: Array.from({ length: 16 }, (_, id) => ({
    id,
    kernel_id: id,
    cpus: [id, id + 16],
    package_id: 0,
  })),
  llcs: llcs.map((id) => ({
    id,
    cpus: of_llc(id),
    kernel_id: id,
    level: 3,
    size_bytes: 32 * 2 ** 20,
    assumed: false,
    node_id: id < 2 ? 0 : 1,
  })),
  nodes: [0, 1].map((id) => ({
    id,
    cpus: cpus.filter((cpu) => Math.floor((cpu % 16) / 8) === id),
    distances: id === 0 ? [10, 21] : [21, 10],
    memory_bytes: 64 * 2 ** 30,
  })),
  packages: [{ id: 0, cpus }],
  smt_active: true,
  capacity_source: null,
  online: cpus,
  offline: [32],
  notes: [],
};

/** Names as whoever runs a process may choose them. */
export const hostile = {
  script: '<script>document.title="taken"</script>',
  attribute: '" onmouseover="document.title=\'taken\'" x="',
  image: '<img src=x onerror="document.title=\'taken\'">',
  closing: '</title></style></svg></table><h1>forged</h1>',
  control: 'a\u0000b\u001b[31mc\u202ed',
  long: `${'x'.repeat(10_000)}`,
} as const;

const times_ms = Array.from({ length: 20 }, (_, at) => (at + 1) * 250);

export const sampleReport: ReportData = {
  host: hostile.closing,
  kernel: '6.18.1',
  scheduler: 'rusty',
  version: '0.1.0',
  made_at: '2026-01-01T00:00:00.000Z',
  seconds: 5,
  topology,
  utilisation: {
    times_ms,
    cpus: new Map(
      cpus.map((cpu) => [
        cpu,
        times_ms.map((_, at) => (cpu % 16 < 4 ? 97 : (cpu * 7 + at * 5) % 60)),
      ]),
    ),
  },
  latencies: [
    {
      title: 'Waiting for a CPU',
      of: 'waits',
      rows: Array.from({ length: 22 }, (_, at) => ({
        range_start_us: 2 ** at,
        range_end_us: 2 ** (at + 1) - 1,
        count: Math.round(1000 * Math.exp(-((at - 4) ** 2) / 6)),
      })),
      count: 4321,
      p50_us: 17,
      p99_us: 2100,
      max_us: 3_400_000,
      verdict: hostile.image,
      method: 'bpftrace',
    },
  ],
  processes: Object.values(hostile).map((comm, at) => ({
    pid: 100 + at,
    comm,
    cmdline: hostile.attribute,
    threads: 3,
    cpu_pct: 90 / (at + 1),
    wait_pct: at === 0 ? null : 2.5,
    switches_per_s: 1200,
    rss_bytes: 5e8,
  })),
  triage: {
    healthy: false,
    words: `CPUs are used up by ${hostile.script}.`,
    causes: [
      {
        id: 'cpu',
        title: `CPUs are used up by ${hostile.script}`,
        category: 'cpu',
        severity: 'critical',
        confidence: 86,
        description: hostile.attribute,
        supportingFindings: [],
        contradicting: [],
        suggestedActions: [hostile.image],
      },
    ],
    findings: [
      {
        id: 'busy',
        severity: 'warning',
        category: 'cpu',
        title: hostile.closing,
        metric: 'busy',
        value: 97,
        threshold: 90,
        source: '/proc/stat',
      },
    ],
  },
  flame: {
    title: hostile.attribute,
    svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><script>document.title="taken"</script><rect width="40" height="10" fill="orange"/></svg>`,
  },
  missing: [{ what: hostile.script, reason: hostile.image, fix: hostile.attribute }],
};
