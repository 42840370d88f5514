import type { HostActivity } from './host-activity.ts';
import { wholeDevices } from './snapshot-data.ts';

const gib = (bytes: number | null | undefined): string =>
  bytes == null ? 'unknown' : (bytes / 2 ** 30).toFixed(1);

const mbit = (bytes_per_s: number | null): string =>
  bytes_per_s === null ? 'unknown' : ((bytes_per_s * 8) / 1e6).toFixed(1);

/** A snapshot as a person would say it. */
export function activityInWords(activity: HostActivity): string[] {
  const { shares, memory, load } = activity;
  return [
    `${activity.cpus_online} CPUs ${shares.util_pct} % busy (user ${shares.user_pct}, nice ` +
      `${shares.nice_pct}, system ${shares.system_pct}, iowait ${shares.iowait_pct}, steal ${shares.steal_pct} %); ` +
      `${activity.run_queue ?? 'unknown'} tasks runnable on average; load ${load?.one ?? 'unknown'}.`,
    `${gib(memory?.available_bytes)} of ${gib(memory?.total_bytes)} GiB memory available, ` +
      `${gib(memory?.swap_used_bytes)} GiB of swap used, ` +
      `${activity.paging.major_faults ?? 'unknown'} major faults.`,
    diskLine(activity),
    networkLine(activity),
    ...pressureLine(activity),
  ];
}

function diskLine({ disks }: HostActivity): string {
  const busiest = wholeDevices(disks)?.[0];
  if (!busiest) return disks === null ? 'Disks: unknown.' : 'No disks.';
  const wait = busiest.avg_wait_ms === null ? 'no request' : `${busiest.avg_wait_ms} ms a request`;
  return (
    `Busiest disk ${busiest.name}: ${busiest.utilization} % of the time, ` +
    `${busiest.reads_per_sec} reads/s, ${busiest.writes_per_sec} writes/s, ${wait}.`
  );
}

function networkLine({ links, tcp }: HostActivity): string {
  const top = links?.toSorted((a, b) => carried(b) - carried(a))[0];
  const unsent = tcp === null ? 'TCP unknown' : 'no TCP sent';
  const retransmits =
    tcp?.retransmits_pct == null ? unsent : `${tcp.retransmits_pct} % of TCP segments sent again`;
  if (!top) return `Interfaces: ${links === null ? 'unknown' : 'none'}; ${retransmits}.`;
  return (
    `Busiest interface ${top.name}: ${mbit(top.rx_bytes_per_s)} Mbit/s in, ` +
    `${mbit(top.tx_bytes_per_s)} out; ${retransmits}.`
  );
}

const carried = (row: { rx_bytes: number | null; tx_bytes: number | null }): number =>
  (row.rx_bytes ?? 0) + (row.tx_bytes ?? 0);

function pressureLine({ pressure, stalled }: HostActivity): string[] {
  if (pressure === null) return [];
  const { cpu, memory, io } = stalled;
  return [
    `Some task was stalled on CPU ${cpu.some_pct} %, memory ${memory.some_pct} %, ` +
      `I/O ${io.some_pct} % of the window.`,
  ];
}
