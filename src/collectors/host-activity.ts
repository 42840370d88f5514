import type { LoadAverage } from '../../parsers/loadavg/loadavg.ts';
import type { Stall } from '../../parsers/pressure/pressure.ts';
import type { Call, Context } from '../context.ts';
import type { Unavailable } from '../reading.ts';
import { addTicks, type CpuShares, cpuShares, ticksByCpu, unknownShares } from './cpu-shares.ts';
import { diskKind, everUsed } from './disk-devices.ts';
import { type DiskRow, diskRow, earlierDisks } from './disk-rates.ts';
import { type HostCounters, readHostCounters } from './host-counters.ts';
import type { HostPressure } from './host-pressure.ts';
import { type LinkRow, linkRows } from './network-links.ts';
import { type TcpRates, tcpRates, type UdpRates, udpRates } from './network-rates.ts';
import { growth, round } from './rates.ts';
import { watchRunQueue } from './run-queue.ts';
import { memorySizes } from './system-memory.ts';

/** Share of the window in which some task, or all that could run, stood still for a resource. */
export type StalledShares = Readonly<{ some_pct: number | null; full_pct: number | null }>;

/** What the host did during one window, and its state at the end. Null: not measured. */
export type HostActivity = Readonly<{
  window_ms: number;
  cpus_online: number;
  shares: CpuShares;
  /** No entry for a CPU that came online during the window. */
  by_cpu: ReadonlyMap<number, CpuShares>;
  /** Mean number of tasks that ran or waited for a CPU, this server left out. */
  run_queue: number | null;
  procs_blocked: number | null;
  load: LoadAverage | null;
  /** Counts of the window. */
  events: Readonly<Record<'context_switches' | 'interrupts' | 'forks', number | null>>;
  memory: ReturnType<typeof memorySizes> | null;
  paging: ReturnType<typeof pagingOf>;
  /** Whole devices and partitions; without loop and RAM devices that nobody ever used. */
  disks: readonly DiskRow[] | null;
  /** Those with losses first, then by traffic. */
  links: readonly LinkRow[] | null;
  tcp: TcpRates;
  tcp_counts: ReturnType<typeof tcpCounts>;
  /** Growth of the counters of /proc/net/netstat and of Udp in /proc/net/snmp, by name. */
  tcp_extended: Growth | null;
  udp: UdpRates;
  udp_counts: Growth | null;
  pressure: HostPressure | null;
  stalled: Readonly<Record<'cpu' | 'memory' | 'io', StalledShares>>;
  warnings: readonly string[];
  unavailable: readonly Unavailable[];
}>;

export type Growth = Readonly<Record<string, number | null>>;

/**
 * `count` windows of `window_ms`, the end of one being the start of the next, so that nothing falls
 * between them.
 */
export async function* watchHost(
  ctx: Context,
  { window_ms, count }: Readonly<{ window_ms: number; count: number }>,
  call: Call,
): AsyncGenerator<HostActivity> {
  let before = readHostCounters(ctx);
  const started_ms = before.at_ms;
  for (let sample = 1; sample <= count; sample++) {
    call.progress(count === 1 ? 'measuring the host' : `sample ${sample} of ${count}`);
    const run_queue = await watchRunQueue(ctx, started_ms + sample * window_ms, call);
    const after = readHostCounters(ctx);
    yield activityBetween(ctx, before, after, run_queue);
    before = after;
  }
}

/** One window. */
export async function observeHost(
  ctx: Context,
  window_ms: number,
  call: Call,
): Promise<HostActivity> {
  const before = readHostCounters(ctx);
  call.progress('measuring the host');
  const run_queue = await watchRunQueue(ctx, before.at_ms + window_ms, call);
  return activityBetween(ctx, before, readHostCounters(ctx), run_queue);
}

function activityBetween(
  { files }: Context,
  before: HostCounters,
  after: HostCounters,
  run_queue: number | null,
): HostActivity {
  const window_ms = Math.round(after.at_ms - before.at_ms);
  const ticks = ticksByCpu(before.stat, after.stat);
  const shares = cpuShares(addTicks([...ticks.values()]));
  const event = (name: 'context_switches' | 'interrupts' | 'forks') =>
    growth(before.stat[name], after.stat[name]);
  const [snmpBefore, snmpAfter] = [before.snmp ?? {}, after.snmp ?? {}];
  return {
    window_ms,
    cpus_online: after.stat.cpus.length,
    shares,
    by_cpu: new Map([...ticks].map(([cpu, each]) => [cpu, cpuShares(each)])),
    run_queue,
    procs_blocked: after.stat.procs_blocked,
    load: after.load,
    events: {
      context_switches: event('context_switches'),
      interrupts: event('interrupts'),
      forks: event('forks'),
    },
    memory: after.memory && memorySizes(after.memory),
    paging: pagingOf(before.vmstat, after.vmstat),
    disks: after.disks && disksBetween(files, before, after, window_ms),
    links: after.links && linkRows(before.links ?? [], after.links, window_ms),
    tcp: tcpRates(snmpBefore, snmpAfter, window_ms),
    tcp_counts: tcpCounts(snmpBefore['Tcp'], snmpAfter['Tcp']),
    tcp_extended: growths(before.netstat?.['TcpExt'], after.netstat?.['TcpExt']),
    udp: udpRates(snmpBefore, snmpAfter, window_ms),
    udp_counts: growths(snmpBefore['Udp'], snmpAfter['Udp']),
    pressure: after.pressure,
    stalled: {
      cpu: stalledShares(before.pressure?.cpu, after.pressure?.cpu, window_ms),
      memory: stalledShares(before.pressure?.memory, after.pressure?.memory, window_ms),
      io: stalledShares(before.pressure?.io, after.pressure?.io, window_ms),
    },
    warnings: after.warnings,
    unavailable: [...unknownShares(shares), ...after.unavailable],
  };
}

function disksBetween(
  files: Context['files'],
  before: HostCounters,
  after: HostCounters,
  window_ms: number,
): readonly DiskRow[] {
  const earlier = earlierDisks(before.disks ?? []);
  return (after.disks ?? [])
    .map((disk) => ({ disk, kind: diskKind(files, disk.name) }))
    .filter(({ disk, kind }) => (kind !== 'loop' && kind !== 'ram') || everUsed(disk))
    .map(({ disk, kind }) => diskRow(earlier.get(disk.name), disk, kind, window_ms))
    .sort((a, b) => (b.utilization ?? -1) - (a.utilization ?? -1) || requests(b) - requests(a));
}

const requests = (row: DiskRow): number => row.requests ?? 0;

type Counters = Readonly<Record<string, number>> | null | undefined;

function growths(before: Counters, after: Counters): Growth | null {
  if (!before || !after) return null;
  const names = Object.keys(after);
  return Object.fromEntries(names.map((name) => [name, growth(before[name], after[name])]));
}

/** Counts of the window. */
function pagingOf(before: Counters, after: Counters) {
  const count = (name: string): number | null => growth(before?.[name], after?.[name]);
  return {
    page_faults: count('pgfault'),
    major_faults: count('pgmajfault'),
    swap_in_pages: count('pswpin'),
    swap_out_pages: count('pswpout'),
    /** Pages that a task had to look through itself, because it found no free one. */
    direct_scan_pages: count('pgscan_direct'),
    oom_kills: count('oom_kill'),
    /** Pages that were read again soon after memory had given them up. One name before 5.9. */
    refaults: added(
      count('workingset_refault_file') ?? count('workingset_refault'),
      count('workingset_refault_anon'),
    ),
    read_kib: count('pgpgin'),
  };
}

const added = (a: number | null, b: number | null): number | null =>
  a === null ? null : a + (b ?? 0);

function tcpCounts(before: Counters, after: Counters) {
  const count = (name: string): number | null => growth(before?.[name], after?.[name]);
  return {
    active_connections: count('ActiveOpens'),
    passive_connections: count('PassiveOpens'),
    retransmits: count('RetransSegs'),
    in_segs: count('InSegs'),
    out_segs: count('OutSegs'),
  };
}

type Side = Readonly<{ some: Stall | null; full: Stall | null }> | null | undefined;

/** From the totals, which the kernel brings up to date at each read; avg10 lags behind them. */
export function stalledShares(before: Side, after: Side, window_ms: number): StalledShares {
  const share = (kind: 'some' | 'full'): number | null => {
    const stalled_us = growth(before?.[kind]?.total_us, after?.[kind]?.total_us);
    if (stalled_us === null || window_ms <= 0) return null;
    return Math.min(100, round(stalled_us / window_ms / 10, 2));
  };
  return { some_pct: share('some'), full_pct: share('full') };
}
