import type { Stall } from '../../parsers/pressure/pressure.ts';
import { page } from '../page.ts';
import type { Unavailable } from '../reading.ts';
import type { CpuShares } from './cpu-shares.ts';
import { isMedium } from './disk-devices.ts';
import type { DiskRow } from './disk-rates.ts';
import type { HostActivity } from './host-activity.ts';
import { percent, perSecond, round, sumKnown } from './rates.ts';

export type SnapshotOptions = Readonly<{
  include_per_cpu: boolean;
  include_per_device: boolean;
  include_psi: boolean;
}>;

/** Counts and rates are those of the window, sizes those at its end, shares in percent. */
export type Snapshot = ReturnType<typeof snapshotOf>;

const devices_shown = 24;
const interfaces_shown = 24;
const cpu_rows_bytes = 12_000;

export function snapshotOf(activity: HostActivity, options: SnapshotOptions) {
  const { load, disks, links } = activity;
  const whole = wholeDevices(disks);
  return {
    cpu: {
      load_avg: load && [load.one, load.five, load.fifteen],
      run_queue: activity.run_queue,
      utilization: utilization(activity.shares),
      context_switches: activity.events.context_switches,
      interrupts: activity.events.interrupts,
      cpus_online: activity.cpus_online,
      busy: activity.shares.util_pct,
      context_switches_per_s: perSecond(activity.events.context_switches, activity.window_ms),
      interrupts_per_s: perSecond(activity.events.interrupts, activity.window_ms),
      forks_per_s: perSecond(activity.events.forks, activity.window_ms),
      procs_blocked: activity.procs_blocked,
      ...(options.include_per_cpu ? perCpu(activity) : {}),
    },
    memory: memoryOf(activity),
    io: {
      devices: options.include_per_device
        ? (whole?.slice(0, devices_shown).map(documentedDevice) ?? null)
        : [],
      devices_total: whole?.length ?? null,
      total: whole && totalOf(whole),
    },
    network: {
      interfaces: links?.slice(0, interfaces_shown) ?? null,
      interfaces_total: links?.length ?? null,
      tcp: tcpOf(activity),
    },
    ...(options.include_psi ? { pressure: pressureOf(activity) } : {}),
  };
}

/** All but partitions, whose traffic their disk has too. */
export const wholeDevices = (disks: readonly DiskRow[] | null): readonly DiskRow[] | null =>
  disks?.filter(({ kind }) => kind !== 'partition') ?? null;

const tcpOf = ({ tcp, tcp_counts }: HostActivity) => ({
  ...tcp_counts,
  established: tcp?.established ?? null,
  retransmit_pct: tcp?.retransmits_pct ?? null,
});

function utilization(shares: CpuShares) {
  return {
    user: shares.user_pct,
    system: shares.system_pct,
    nice: shares.nice_pct,
    idle: shares.idle_pct,
    iowait: shares.iowait_pct,
    irq: shares.irq_pct,
    softirq: shares.softirq_pct,
    steal: shares.steal_pct,
    guest: shares.guest_pct,
  };
}

/** The busiest first. */
function perCpu({ by_cpu }: HostActivity) {
  const rows = [...by_cpu]
    .map(([cpu, shares]) => ({ cpu, busy: shares.util_pct, ...utilization(shares) }))
    .sort((a, b) => (b.busy ?? -1) - (a.busy ?? -1) || a.cpu - b.cpu);
  const shown = page(rows, { limit: rows.length, offset: 0 }, cpu_rows_bytes);
  return { per_cpu: shown.rows };
}

export function memoryOf({ memory, paging, window_ms }: HostActivity) {
  const size = (name: 'total_bytes' | 'available_bytes' | 'used_bytes' | 'buffers_bytes') =>
    memory?.[name] ?? null;
  return {
    total_bytes: size('total_bytes'),
    available_bytes: size('available_bytes'),
    used_bytes: size('used_bytes'),
    used_percent: percent(size('used_bytes'), size('total_bytes') ?? 0),
    buffers_bytes: size('buffers_bytes'),
    cached_bytes: memory?.cached_bytes ?? null,
    swap_used_bytes: memory?.swap_used_bytes ?? null,
    swap_total_bytes: memory?.swap_total_bytes ?? null,
    page_faults: paging.page_faults,
    major_faults: paging.major_faults,
    page_faults_per_s: perSecond(paging.page_faults, window_ms),
    major_faults_per_s: perSecond(paging.major_faults, window_ms),
    swap_in_pages: paging.swap_in_pages,
    swap_out_pages: paging.swap_out_pages,
    direct_scan_pages: paging.direct_scan_pages,
    oom_kills: paging.oom_kills,
  };
}

const documentedDevice = (row: DiskRow) => ({
  name: row.name,
  kind: row.kind,
  reads_per_sec: row.reads_per_sec,
  writes_per_sec: row.writes_per_sec,
  read_bytes_per_sec: row.read_bytes_per_sec,
  write_bytes_per_sec: row.write_bytes_per_sec,
  avg_queue_size: row.avg_queue_size,
  utilization: row.utilization,
  avg_wait_ms: row.avg_wait_ms,
});

/** Of the devices that keep data themselves. */
function totalOf(devices: readonly DiskRow[]) {
  const own = devices.filter(({ kind }) => isMedium(kind));
  const sum = (name: 'reads_per_sec' | 'writes_per_sec' | 'read_bytes_per_sec') =>
    rounded(sumKnown(own.map((row) => row[name])));
  return {
    reads_per_sec: sum('reads_per_sec'),
    writes_per_sec: sum('writes_per_sec'),
    read_bytes_per_sec: sum('read_bytes_per_sec'),
    write_bytes_per_sec: rounded(sumKnown(own.map((row) => row.write_bytes_per_sec))),
  };
}

const rounded = (value: number | null): number | null => (value === null ? null : round(value));

function pressureOf({ pressure, stalled }: HostActivity) {
  if (pressure === null) return null;
  return {
    cpu: psiMetrics(pressure.cpu, stalled.cpu),
    memory: psiMetrics(pressure.memory, stalled.memory),
    io: psiMetrics(pressure.io, stalled.io),
  };
}

type Stalls = Readonly<{ some: Stall | null; full: Stall | null }> | null;

/** avg* in percent; *_total in microseconds since boot; *_window is the share of our window. */
export function psiMetrics(
  stalls: Stalls,
  window?: Readonly<{ some_pct: number | null; full_pct: number | null }>,
) {
  const { some = null, full = null } = stalls ?? {};
  return {
    some_avg10: some?.avg10_pct ?? null,
    some_avg60: some?.avg60_pct ?? null,
    some_avg300: some?.avg300_pct ?? null,
    full_avg10: full?.avg10_pct ?? null,
    full_avg60: full?.avg60_pct ?? null,
    full_avg300: full?.avg300_pct ?? null,
    some_total: some?.total_us ?? null,
    full_total: full?.total_us ?? null,
    ...(window ? { some_window: window.some_pct, full_window: window.full_pct } : {}),
  };
}

export const noCpuFull: Unavailable = {
  what: 'pressure.cpu.full_*',
  reason: 'Of the whole host the kernel knows no such stall: some task always runs.',
  fix: null,
};

/** Why waits of a device are null though the file is there. */
export function idleDevices(devices: readonly DiskRow[] | null): readonly Unavailable[] {
  const names = (of: (row: DiskRow) => boolean): readonly string[] =>
    (devices ?? []).filter(of).map(({ name }) => name);
  const unknown = names(({ requests }) => requests === null);
  const idle = names((row) => row.requests !== null && row.avg_wait_ms === null);
  const first = (all: readonly string[]): string =>
    all.length > 6 ? `${all.slice(0, 6).join(', ')} and others` : all.join(', ');
  const gap = (all: readonly string[], what: string, reason: string): Unavailable[] =>
    all.length === 0 ? [] : [{ what, reason, fix: null }];
  return [
    ...gap(idle, 'avg_wait_ms', `No request ended in the window on ${first(idle)}.`),
    ...gap(
      unknown,
      'figures of devices',
      `${first(unknown)} came during the window, or began to count anew.`,
    ),
  ];
}
