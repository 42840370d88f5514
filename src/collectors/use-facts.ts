import type { UseDisk, UseFacts, UseLink } from '../analysis/use-facts.ts';
import { min_requests } from '../analysis/use-signals.ts';
import type { Context } from '../context.ts';
import type { HostFiles } from '../procfs/host-files.ts';
import type { Unavailable } from '../reading.ts';
import type { DiskRow } from './disk-rates.ts';
import type { HostActivity } from './host-activity.ts';
import { type InterruptCounters, interruptGrowth } from './interrupt-rates.ts';
import { readLinkFacts } from './link-facts.ts';
import type { LinkRow } from './network-links.ts';
import { percent, perSecond, round, sumKnown } from './rates.ts';
import { wholeDevices } from './snapshot-data.ts';

/** Of a host with thousands of interfaces the ones with losses and the most traffic. */
const max_links = 200;

/** The facts of the USE method, out of one window of the host. */
export function useFactsOf(
  { files }: Context,
  activity: HostActivity,
  hardware_events: number | null,
): UseFacts {
  const { shares, stalled, memory, paging, window_ms } = activity;
  const perS = (count: number | null | undefined): number | null =>
    perSecond(count ?? null, window_ms);
  const swap_total = memory?.swap_total_bytes ?? 0;
  return {
    cpu: {
      cpus: activity.cpus_online,
      busy_pct: ownUse(activity),
      steal_pct: shares.steal_pct,
      run_queue: activity.run_queue,
      stalled_some_pct: stalled.cpu.some_pct,
      hardware_events,
    },
    memory: {
      used_pct: percent(memory?.used_bytes ?? null, memory?.total_bytes ?? 0),
      swap_used_pct: percent(memory?.swap_used_bytes ?? null, swap_total),
      swap_pages: sumKnown([paging.swap_in_pages, paging.swap_out_pages]),
      stalled_some_pct: stalled.memory.some_pct,
      stalled_full_pct: stalled.memory.full_pct,
      oom_kills: paging.oom_kills,
      corrupted_bytes: memory?.corrupted_bytes ?? null,
    },
    disk: {
      devices: wholeDevices(activity.disks)?.map(useDisk) ?? null,
      stalled_some_pct: stalled.io.some_pct,
      stalled_full_pct: stalled.io.full_pct,
      filesystem_errors: filesystemErrors(files),
    },
    network: {
      links:
        activity.links?.slice(0, max_links).map((row) => useLink(files, row, window_ms)) ?? null,
      retransmits: activity.tcp_counts.retransmits,
      retransmit_pct: activity.tcp?.retransmits_pct ?? null,
      listen_drops_per_s: perS(activity.tcp_extended?.['ListenDrops']),
      udp_drops_per_s: perS(activity.udp_counts?.['RcvbufErrors']),
    },
  };
}

/** What the host itself made of its CPUs: steal is not its use. */
function ownUse({ shares: { util_pct, steal_pct } }: HostActivity): number | null {
  return util_pct === null ? null : round(util_pct - (steal_pct ?? 0));
}

const useDisk = (row: DiskRow): UseDisk => ({
  name: row.name,
  busy_pct: row.utilization,
  queue: row.avg_queue_size,
  wait_ms: row.avg_wait_ms,
  requests: row.requests,
});

function useLink(files: HostFiles, row: LinkRow, window_ms: number): UseLink {
  const { speed_mbps } = readLinkFacts(files, row.name);
  const busier = Math.max(row.rx_bytes_per_s ?? -1, row.tx_bytes_per_s ?? -1);
  const errors = sumKnown([row.rx_errors, row.tx_errors]);
  return {
    name: row.name,
    used_pct: speed_mbps === null || busier < 0 ? null : percent((busier * 8) / 1e6, speed_mbps),
    drops_per_s: perSecond(sumKnown([row.rx_dropped, row.tx_dropped]), window_ms),
    errors_per_s: perSecond(errors, window_ms),
    errors,
  };
}

/** ext4 keeps the number in its superblock until somebody repairs it. */
function filesystemErrors(files: HostFiles): number | null {
  const names = files.list('/sys/fs/ext4') ?? [];
  return sumKnown(names.map((name) => files.number(`/sys/fs/ext4/${name}/errors_count`)));
}

/** x86: machine check exceptions, thermal events. */
const hardwareRows = ['MCE', 'TRM'];

/** Null where the processor reports them in another way. */
export function hardwareEvents(before: InterruptCounters, after: InterruptCounters): number | null {
  const [from, to] = [before.hard, after.hard];
  return from && to ? sumKnown(hardwareRows.map((id) => interruptGrowth(from, to, id))) : null;
}

const judged = ({ requests }: UseDisk): boolean => (requests ?? 0) >= min_requests;

/** Why figures of the check are missing. */
export function useUnavailable(facts: UseFacts): readonly Unavailable[] {
  const { cpu, memory, disk, network } = facts;
  const gap = (missing: boolean, what: string, reason: string): Unavailable[] =>
    missing ? [{ what, reason, fix: null }] : [];
  const speeds = network.links?.some(({ used_pct }) => used_pct !== null);
  return [
    ...gap(cpu.run_queue === null, 'cpu.run_queue', '/proc/loadavg cannot be read.'),
    ...gap(
      cpu.hardware_events === null,
      'cpu.errors',
      'The rows MCE and TRM of /proc/interrupts, which only x86 has, are not there.',
    ),
    ...gap(memory.oom_kills === null, 'memory.oom_kills', 'No oom_kill in /proc/vmstat (4.13).'),
    ...gap(
      memory.swap_used_pct === null && memory.used_pct !== null,
      'memory.swap_used_pct',
      'The host has no swap.',
    ),
    ...gap(
      memory.corrupted_bytes === null && memory.used_pct !== null,
      'memory.corrupted_bytes',
      'The kernel was built without CONFIG_MEMORY_FAILURE.',
    ),
    ...gap(
      disk.devices !== null && !disk.devices.some(judged),
      'disk.wait_ms',
      `Fewer than ${min_requests} requests ended in the window on each disk.`,
    ),
    ...gap(
      disk.filesystem_errors === null,
      'disk.errors',
      'No mounted ext4 file system tells how many errors it has recorded.',
    ),
    ...gap(
      speeds !== true,
      'network.utilization',
      'No interface tells its speed: the usual case in a virtual machine.',
    ),
    ...gap(
      network.retransmit_pct === null,
      'network.retransmit_pct',
      network.retransmits === null
        ? '/proc/net/snmp does not tell how many segments were sent again.'
        : 'No segment was sent during the window.',
    ),
  ];
}
