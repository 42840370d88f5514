import type { Cause, Finding } from '../analysis/triage-facts.ts';
import type { Topology } from '../collectors/topology.ts';
import type { Unavailable } from '../reading.ts';

/** What a report shows. A part that could not be had is null and stands in `missing`. */
export type ReportData = Readonly<{
  host: string;
  kernel: string | null;
  scheduler: string | null;
  version: string;
  made_at: string;
  /** How long CPUs, latencies and processes were watched. */
  seconds: number;
  topology: Topology | null;
  utilisation: Utilisation | null;
  latencies: readonly Latency[];
  processes: readonly ReportProcess[] | null;
  triage: Triage | null;
  /** A flame graph as one SVG document; null where no profile is at hand. */
  flame: Readonly<{ title: string; svg: string }> | null;
  missing: readonly Unavailable[];
}>;

/** How busy CPUs were, in steps of time. */
export type Utilisation = Readonly<{
  /** When each step ended, in ms from the beginning. */
  times_ms: readonly number[];
  /** By CPU, in percent for each step; null where no tick passed. */
  cpus: ReadonlyMap<number, readonly (number | null)[]>;
}>;

export type Latency = Readonly<{
  title: string;
  /** What was counted. */
  of: string;
  rows: readonly Readonly<{ range_start_us: number; range_end_us: number; count: number }>[];
  count: number;
  p50_us: number | null;
  p99_us: number | null;
  max_us: number | null;
  /** A sentence on it; null where there is none. */
  verdict: string | null;
  method: string | null;
}>;

export type ReportProcess = Readonly<{
  pid: number;
  comm: string;
  cmdline: string | null;
  threads: number;
  cpu_pct: number | null;
  wait_pct: number | null;
  switches_per_s: number | null;
  rss_bytes: number | null;
}>;

export type Triage = Readonly<{
  /** Null: nothing stands out, and not everything could be judged. */
  healthy: boolean | null;
  words: string;
  causes: readonly Cause[];
  findings: readonly Finding[];
}>;
