import type { UseSignal } from './use-facts.ts';

export type Area = 'cpu' | 'memory' | 'io' | 'network';

/** What a process did in the window. Null: not told. */
export type TriageProcess = Readonly<{
  pid: number;
  comm: string;
  /** Of one CPU. */
  cpu_pct: number;
  /** Ready to run and without a CPU, over all its threads. */
  wait_pct: number | null;
  rss_bytes: number | null;
  /** To and from disks. */
  io_bytes_per_s: number | null;
  state: string;
}>;

/** All that the causes are judged by. Null: that was not measured. */
export type TriageFacts = Readonly<{
  /** The process that was asked about; null: the whole host. */
  focus_pid: number | null;
  cpus: number;
  signals: readonly UseSignal[];
  processes: readonly TriageProcess[];
  busy_pct: number | null;
  iowait_pct: number | null;
  memory_total_bytes: number | null;
  major_faults_per_s: number | null;
  /** Pages that came back soon after they had left memory, and their share of what was read. */
  refaults: Readonly<{ per_s: number; share_pct: number | null }> | null;
  forks_per_s: number | null;
  switches_per_s: number | null;
  throttled: readonly Readonly<{ path: string; throttled_pct: number }>[] | null;
  /** Groups that met their memory limit, most often first. */
  memory_limited:
    | readonly Readonly<{ path: string; hits_per_s: number; memory_bytes: number | null }>[]
    | null;
  run_queue: Readonly<{ p99_us: number | null; waits: number }> | null;
  block: Readonly<{ ios: number; p99_us: number | null; avg_us: number | null }> | null;
  slow_files: readonly Readonly<{ filename: string; process: string; count: number }>[] | null;
  execs: Readonly<{ per_s: number | null; command: string | null; parent: string | null }> | null;
  functions: readonly Readonly<{ symbol: string; module: string; percent: number }>[] | null;
  /** Of the process in focus, or of all. */
  blocked:
    | readonly Readonly<{
        wait_type: string;
        blocked_ms: number;
        percent: number | null;
        /** Null where they are not counted. */
        waits: number | null;
      }>[]
    | null;
  blocked_processes:
    | readonly Readonly<{
        pid: number | null;
        comm: string;
        blocked_ms: number;
        wait_type: string;
      }>[]
    | null;
  syscalls: Readonly<{ name: string; rate_per_s: number; share_pct: number }> | null;
  /** Lookups that ended, and one that waits all the time for an answer. */
  names: Readonly<{
    count: number;
    avg_ms: number | null;
    host: string | null;
    unanswered: Readonly<{ host: string | null; comm: string; waited_ms: number }> | null;
  }> | null;
  fds: Readonly<{
    growth_per_s: number | null;
    total: number;
    limit: number | null;
    leak: boolean;
  }> | null;
}>;

/** One thing that was measured, with what it was held against. */
export type Finding = Readonly<{
  id: string;
  severity: 'critical' | 'warning' | 'info';
  category: Area;
  title: string;
  metric: string;
  value: number | null;
  threshold: number | null;
  source: string;
}>;

/** What explains the findings, likeliest first. */
export type Cause = Readonly<{
  id: string;
  title: string;
  category: Area;
  severity: 'critical' | 'warning';
  /** 0 to 100: how many figures agree, less those that speak against it. */
  confidence: number;
  description: string;
  supportingFindings: readonly string[];
  contradicting: readonly string[];
  suggestedActions: readonly string[];
}>;
