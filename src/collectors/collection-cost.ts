import { type BpfRunStats, parseBpfRunStats } from '../../parsers/bpf-fdinfo/bpf-run-stats.ts';
import { parsePidStat } from '../../parsers/pid-stat/pid-stat.ts';
import type { Context } from '../context.ts';
import { growth } from './rates.ts';

/** What a bpftrace had used so far. Null where the kernel does not tell. */
export type CostReading = Readonly<{
  cpu_ticks: number | null;
  /** Times that a probe was passed while a BPF program was running already, and so was not counted. */
  missed: number | null;
  runs: number | null;
  run_time_ns: number | null;
}>;

export type CollectionCost = Readonly<{
  /** CPU time of bpftrace itself. */
  tracer_cpu_ms: number | null;
  missed_events: number | null;
  /** Time in the kernel programs, each time they ran; counted only with kernel.bpf_stats_enabled. */
  program_avg_ns: number | null;
}>;

/** USER_HZ: 100 per second on every architecture that Node.js runs on. */
const ms_per_tick = 10;

/** From the process and from its descriptors of BPF programs. */
export function readCost({ files }: Context, pid: number): CostReading {
  const stat = files.text(`/proc/${pid}/stat`);
  const use = stat === null ? null : parsePidStat(stat);
  const programs = (files.list(`/proc/${pid}/fd`) ?? [])
    .filter((fd) => files.link(`/proc/${pid}/fd/${fd}`) === 'anon_inode:bpf-prog')
    .map((fd) => parseBpfRunStats(files.text(`/proc/${pid}/fdinfo/${fd}`) ?? ''));
  const total = (value: (each: BpfRunStats) => number | null): number | null =>
    programs.length === 0
      ? null
      : programs.reduce<number | null>((sum, each) => add(sum, value(each)), 0);
  return {
    cpu_ticks: use && use.utime_ticks + use.stime_ticks,
    missed: total(({ recursion_misses }) => recursion_misses),
    runs: total(({ run_cnt }) => run_cnt),
    run_time_ns: total(({ run_time_ns }) => run_time_ns),
  };
}

export function costBetween(before: CostReading, after: CostReading): CollectionCost {
  const ticks = growth(before.cpu_ticks, after.cpu_ticks);
  const runs = growth(before.runs, after.runs);
  const run_time_ns = growth(before.run_time_ns, after.run_time_ns);
  return {
    tracer_cpu_ms: ticks === null ? null : ticks * ms_per_tick,
    missed_events: growth(before.missed, after.missed),
    program_avg_ns: runs && run_time_ns ? Math.round(run_time_ns / runs) : null,
  };
}

const add = (sum: number | null, value: number | null): number | null =>
  sum === null || value === null ? null : sum + value;
