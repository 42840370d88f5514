import type { Call, Context } from '../context.ts';
import { row_budget_bytes } from '../page.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { type HostActivity, watchHost } from './host-activity.ts';
import { host_sources } from './host-counters.ts';
import { outerLinks } from './link-facts.ts';
import { meanKnown, round, sumKnown } from './rates.ts';
import { snapshotUnavailable } from './snapshot.ts';
import {
  memoryOf,
  type Snapshot,
  type SnapshotOptions,
  snapshotOf,
  wholeDevices,
} from './snapshot-data.ts';

type Sample<D> = Readonly<{
  timestamp: string;
  sample_index: number;
  window_ms: number;
  data: D;
}>;

export type SnapshotSeries = Readonly<{
  mode: 'interval';
  interval_sec: number;
  samples: readonly Sample<object>[];
  summary: Readonly<{
    total_samples: number;
    duration_seconds: number;
    cpu_avg_utilization: number | null;
    memory_avg_used_percent: number | null;
    /** Of each figure over the samples. */
    figures: Readonly<Record<string, Spread>>;
  }>;
}>;

type Spread = Readonly<{
  min: number | null;
  avg: number | null;
  max: number | null;
  /** Index of the sample with the highest value. */
  max_at: number | null;
}>;

type Params = SnapshotOptions & Readonly<{ interval_sec: number; count: number }>;

/** A snapshot for each of `count` intervals, each over its whole interval. */
export async function collectSnapshotSeries(
  ctx: Context,
  params: Params,
  call: Call,
): Promise<Reading<SnapshotSeries>> {
  const { interval_sec, count } = params;
  const samples: Sample<Snapshot>[] = [];
  const figures: Figures[] = [];
  const unavailable = new Map<string, Unavailable>();
  const warnings = new Set<string>();
  const outer = outerLinks(ctx.files);
  let duration_ms = 0;
  for await (const each of watchHost(ctx, { window_ms: interval_sec * 1000, count }, call)) {
    const timestamp = ctx.now().toISOString();
    const data = snapshotOf(each, params);
    samples.push({ timestamp, sample_index: samples.length, window_ms: each.window_ms, data });
    figures.push(figuresOf(each, outer));
    for (const gap of snapshotUnavailable(each, params)) unavailable.set(gap.what, gap);
    for (const warning of each.warnings) warnings.add(warning);
    duration_ms += each.window_ms;
  }
  const spreads = spreadsOf(figures);
  const fitting = fit(samples);
  return {
    data: {
      mode: 'interval',
      interval_sec,
      samples: fitting.samples,
      summary: {
        total_samples: samples.length,
        duration_seconds: round(duration_ms / 1000),
        cpu_avg_utilization: spreads.cpu_utilization.avg,
        memory_avg_used_percent: spreads.memory_used_percent.avg,
        figures: spreads,
      },
    },
    source: host_sources,
    // On a busy host samples come late: the mean of their windows.
    window_ms: Math.round(duration_ms / Math.max(1, samples.length)),
    ...fitting.cut,
    warnings: [...warnings],
    unavailable: [...unavailable.values()],
    summary: inWords(samples.length, interval_sec, spreads),
  };
}

const names = [
  'cpu_utilization',
  'run_queue',
  'memory_used_percent',
  'disk_utilization',
  'disk_wait_ms',
  'network_bytes_per_s',
] as const;

type Figures = Readonly<Record<(typeof names)[number], number | null>>;

type OuterLinks = ReturnType<typeof outerLinks>;

function figuresOf(activity: HostActivity, outer: OuterLinks): Figures {
  const disk = wholeDevices(activity.disks)?.[0];
  return {
    cpu_utilization: activity.shares.util_pct,
    run_queue: activity.run_queue,
    memory_used_percent: memoryOf(activity).used_percent,
    disk_utilization: disk?.utilization ?? null,
    disk_wait_ms: disk?.avg_wait_ms ?? null,
    network_bytes_per_s: carried(activity, outer),
  };
}

/** Both ways, without what stays on the host or is counted on another interface too. */
function carried({ links }: HostActivity, outer: OuterLinks): number | null {
  const rows = outer(links ?? []);
  return sumKnown(rows.flatMap((row) => [row.rx_bytes_per_s, row.tx_bytes_per_s]));
}

function spreadsOf(all: readonly Figures[]): Record<(typeof names)[number], Spread> {
  const spread = (name: (typeof names)[number]): Spread => {
    const values = all.map((each) => each[name]);
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return { min: null, avg: null, max: null, max_at: null };
    const max = Math.max(...known);
    return { min: Math.min(...known), avg: meanKnown(known), max, max_at: values.indexOf(max) };
  };
  return {
    cpu_utilization: spread('cpu_utilization'),
    run_queue: spread('run_queue'),
    memory_used_percent: spread('memory_used_percent'),
    disk_utilization: spread('disk_utilization'),
    disk_wait_ms: spread('disk_wait_ms'),
    network_bytes_per_s: spread('network_bytes_per_s'),
  };
}

/** The samples as whole as an answer has room for. */
function fit(samples: readonly Sample<Snapshot>[]) {
  if (bytes(samples) <= row_budget_bytes) return { samples, cut: {} };
  const shorter = samples.map((sample) => ({ ...sample, data: short(sample.data) }));
  if (bytes(shorter) <= row_budget_bytes) {
    const next =
      'Each sample has its two busiest devices and interfaces; ask for fewer samples for the rest.';
    return { samples: shorter, cut: { truncated: true, next } };
  }
  const next =
    'Each sample has CPU and memory only; summary.figures has the rest. Ask for fewer samples.';
  const least = samples.map((sample) => ({ ...sample, data: shortest(sample.data) }));
  return { samples: least, cut: { truncated: true, next } };
}

const bytes = (samples: readonly object[]): number => Buffer.byteLength(JSON.stringify(samples));

function short({ cpu, memory, io, network, ...rest }: Snapshot) {
  const { load_avg, run_queue, utilization, context_switches, interrupts } = cpu;
  return {
    cpu: { load_avg, run_queue, utilization, context_switches, interrupts },
    memory,
    io: { devices: io.devices?.slice(0, 2) ?? null },
    network: { interfaces: network.interfaces?.slice(0, 2) ?? null, tcp: network.tcp },
    ...rest,
  };
}

function shortest({ cpu, memory }: Snapshot) {
  const { run_queue, utilization } = cpu;
  const { available_bytes, used_bytes, swap_used_bytes, major_faults } = memory;
  return {
    cpu: { run_queue, utilization },
    memory: { available_bytes, used_bytes, swap_used_bytes, major_faults },
  };
}

function inWords(
  samples: number,
  interval_sec: number,
  figures: Record<(typeof names)[number], Spread>,
): string[] {
  const said = ({ min, avg, max, max_at }: Spread, unit: string): string =>
    avg === null
      ? 'unknown'
      : `${avg}${unit} (${min} to ${max}${unit}, highest in sample ${max_at})`;
  return [
    `${samples} samples of ${interval_sec} s.`,
    `CPU busy ${said(figures.cpu_utilization, ' %')}; tasks runnable ${said(figures.run_queue, '')}.`,
    `Memory used ${said(figures.memory_used_percent, ' %')}.`,
    `Busiest disk ${said(figures.disk_utilization, ' %')}, wait ${said(figures.disk_wait_ms, ' ms')}.`,
  ];
}
