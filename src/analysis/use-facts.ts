import type { Thresholds, UseStatus } from './use-thresholds.ts';

export type UseResource = 'cpu' | 'memory' | 'disk' | 'network';
export type UseAspect = 'utilization' | 'saturation' | 'errors';

/** What the check needs to know of the host, over one window. Null: not measured. */
export type UseFacts = Readonly<{
  cpu: Readonly<{
    cpus: number;
    /** Without idle, iowait and steal. */
    busy_pct: number | null;
    steal_pct: number | null;
    run_queue: number | null;
    stalled_some_pct: number | null;
    /** Whether a cgroup was stopped by its limit; left out where nobody looked. */
    throttled?: boolean;
    /** Machine checks and thermal events, which the processor reports by interrupt. */
    hardware_events: number | null;
  }>;
  memory: Readonly<{
    /** Without what is available. */
    used_pct: number | null;
    /** Null where there is no swap. */
    swap_used_pct: number | null;
    swap_pages: number | null;
    stalled_some_pct: number | null;
    stalled_full_pct: number | null;
    oom_kills: number | null;
    /** Memory that the hardware corrupted and the kernel took out of use. */
    corrupted_bytes: number | null;
  }>;
  disk: Readonly<{
    /** Whole devices; null where /proc/diskstats is closed. */
    devices: readonly UseDisk[] | null;
    stalled_some_pct: number | null;
    stalled_full_pct: number | null;
    /** Errors that file systems have recorded and nobody has repaired. */
    filesystem_errors: number | null;
  }>;
  network: Readonly<{
    links: readonly UseLink[] | null;
    retransmits: number | null;
    retransmit_pct: number | null;
    /** Connections turned away because nobody accepted them in time. */
    listen_drops_per_s: number | null;
    /** Datagrams thrown away because the program did not read them. */
    udp_drops_per_s: number | null;
  }>;
}>;

export type UseDisk = Readonly<{
  name: string;
  busy_pct: number | null;
  queue: number | null;
  wait_ms: number | null;
  requests: number | null;
}>;

export type UseLink = Readonly<{
  name: string;
  /** Of the speed that the link says it has; null where it says none. */
  used_pct: number | null;
  drops_per_s: number | null;
  errors_per_s: number | null;
  errors: number | null;
}>;

/** One figure with the thresholds it was held against. `status` is null where it is not known. */
export type UseSignal = Readonly<{
  resource: UseResource;
  aspect: UseAspect;
  metric: string;
  value: number | null;
  unit: string;
  thresholds: Thresholds;
  status: UseStatus | null;
  detail: string;
  /** Errors: how many. */
  count?: number | null;
}>;
