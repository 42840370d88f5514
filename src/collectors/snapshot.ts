import type { Call, Context } from '../context.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { type HostActivity, observeHost } from './host-activity.ts';
import { host_sources } from './host-counters.ts';
import {
  idleDevices,
  noCpuFull,
  type Snapshot,
  type SnapshotOptions,
  snapshotOf,
  wholeDevices,
} from './snapshot-data.ts';
import { activityInWords } from './snapshot-words.ts';

/** Long enough for a share of CPU time to mean something: a hundred ticks of each CPU. */
const window_ms = 1000;

/** What the host does at the moment, measured over one second. */
export async function collectSnapshot(
  ctx: Context,
  options: SnapshotOptions,
  call: Call,
): Promise<Reading<Snapshot>> {
  const activity = await observeHost(ctx, window_ms, call);
  const data = snapshotOf(activity, options);
  return {
    data,
    source: host_sources,
    window_ms: activity.window_ms,
    ...leftOut(data),
    warnings: activity.warnings,
    unavailable: snapshotUnavailable(activity, options),
    summary: activityInWords(activity),
  };
}

export function snapshotUnavailable(
  activity: HostActivity,
  { include_per_device, include_psi }: SnapshotOptions,
): readonly Unavailable[] {
  return [
    ...activity.unavailable.filter(({ what }) => include_psi || what !== 'pressure'),
    ...(include_psi && activity.pressure !== null ? [noCpuFull] : []),
    ...(include_per_device ? idleDevices(wholeDevices(activity.disks)) : []),
    ...(activity.tcp?.retransmits_pct === null ? [nothingSent] : []),
  ];
}

const nothingSent: Unavailable = {
  what: 'network.tcp.retransmit_pct',
  reason: 'No segment was sent during the window.',
  fix: null,
};

function leftOut({ cpu, io, network }: Snapshot): { truncated?: boolean; next?: string } {
  const hidden = [
    ...(rest(io.devices, io.devices_total) && (io.devices?.length ?? 0) > 0
      ? ['the rest of the devices: perf_io_latency with device']
      : []),
    ...(rest(network.interfaces, network.interfaces_total)
      ? ['the rest of the interfaces: perf_net_health with interface']
      : []),
    ...('per_cpu' in cpu && (cpu.per_cpu?.length ?? 0) < cpu.cpus_online
      ? ['CPUs that did less: stats://aggregated/cpu']
      : []),
  ];
  return hidden.length === 0 ? {} : { truncated: true, next: hidden.join('; ') };
}

const rest = (shown: readonly unknown[] | null, total: number | null): boolean =>
  shown !== null && total !== null && shown.length < total;
