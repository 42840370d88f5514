/** Beyond `warning` a figure is suspicious, beyond `critical` it is a bottleneck. Null: never. */
export type Thresholds = Readonly<{ warning: number | null; critical: number | null }>;

/**
 * The documented thresholds of the USE check (memory: less than 20 and 10 % available); those of
 * steal, link use and faults are ours. Percent unless the name says otherwise.
 */
export const useThresholds = {
  cpu_busy_pct: { warning: 70, critical: 90 },
  /** Tasks that run or wait, per CPU. */
  run_queue_per_cpu: { warning: 1, critical: 2 },
  steal_pct: { warning: 5, critical: 20 },
  memory_used_pct: { warning: 80, critical: 90 },
  swap_used_pct: { warning: 10, critical: 50 },
  /** Swap that filled long ago and stands still makes nobody wait. */
  still_swap_used_pct: { warning: 10, critical: null },
  disk_busy_pct: { warning: 60, critical: 80 },
  disk_queue: { warning: 2, critical: 8 },
  disk_wait_ms: { warning: 20, critical: 50 },
  link_used_pct: { warning: 70, critical: 90 },
  drops_per_s: { warning: 1, critical: 100 },
  retransmit_pct: { warning: 1, critical: 5 },
  link_errors_per_s: { warning: 0, critical: 100 },
  /** Of pressure stall information. */
  stalled_some_pct: { warning: 10, critical: 25 },
  stalled_full_pct: { warning: 5, critical: 15 },
  fault: { warning: 0, critical: null },
  kill: { warning: 0, critical: 0 },
  /** A figure that rests on too little to be judged. */
  none: { warning: null, critical: null },
} as const satisfies Record<string, Thresholds>;

export type UseStatus = 'ok' | 'warning' | 'critical';

export function judge(value: number, { warning, critical }: Thresholds): UseStatus {
  if (critical !== null && value > critical) return 'critical';
  return warning !== null && value > warning ? 'warning' : 'ok';
}
