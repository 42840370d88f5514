import { type SwitchTable, switchTable } from '../analysis/switch-table.ts';
import type { Call, Context } from '../context.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { enable_bpf_stats } from './bpf-run-times.ts';
import { type Collected, collected, wasReset } from './collection-session.ts';
import { perSecond, round } from './rates.ts';

/** Figures are null where nothing was ever collected. */
export type SchedulingStats = Readonly<{
  /** Switches away from and to processes, each switch thus twice; without our own. */
  total_events: number | null;
  collection_duration_secs: number | null;
  events_per_sec: number | null;
  num_cpus_observed: number | null;
  per_cpu: readonly Readonly<{ cpu: number; switches: number }>[] | null;
  unique_processes: number | null;
  collection_enabled: boolean;
  /** Of the whole system, each once, ours included. */
  context_switches: number | null;
  context_switches_per_sec: number | null;
  /** From the begin or the reset until now, or until collection ended. */
  window_secs: number | null;
  ended_by: Collected['ended_by'];
  time_limit_secs: number | null;
  ends_in_secs: number | null;
  /** Switches for which the kernel could not run the program. */
  missed_events: number | null;
  /** Switches that no row has, because a table was full. */
  unattributed_switches: number | null;
  own: Own | null;
  attached: readonly string[];
}>;

type Own = Readonly<{
  /** Null where they cannot be told from those of others. */
  switches: number | null;
  tracer_cpu_ms: number | null;
  program_avg_ns: number | null;
}>;

/** Context switches since collection was enabled or reset. Source: scripts/bpftrace/collection.bt. */
export async function collectSchedulingStats(
  ctx: Context,
  call: Call,
): Promise<Reading<SchedulingStats>> {
  const now = await collected(ctx, call);
  if (!now) return nothingCollected(ctx, nothing, 'scheduling statistics');
  const table = switchTable(now.before.counts, now.after.counts);
  const { window_ms } = now;
  const others = othersOf(table, now);
  const total_events = others.reduce((sum, row) => sum + row.switches_from + row.switches_to, 0);
  const window_secs = round(window_ms / 1000, 3);
  const { tracer_cpu_ms, missed_events, program_avg_ns } = now.cost;
  const data: SchedulingStats = {
    total_events,
    collection_duration_secs: window_secs,
    events_per_sec: perSecond(total_events, window_ms),
    num_cpus_observed: table.per_cpu.length,
    per_cpu: table.per_cpu,
    unique_processes: others.length,
    collection_enabled: now.ended_by === null,
    context_switches: table.context_switches,
    context_switches_per_sec: perSecond(table.context_switches, window_ms),
    window_secs,
    ended_by: now.ended_by,
    time_limit_secs: now.limit_ms / 1000,
    ends_in_secs: now.ends_in_ms === null ? null : round(now.ends_in_ms / 1000),
    missed_events,
    unattributed_switches: unattributed(table, now),
    own: { switches: ownSwitches(table, now), tracer_cpu_ms, program_avg_ns },
    attached: now.attached,
  };
  return {
    data,
    source: 'bpftrace',
    summary: inWords(data),
    window_ms,
    ...(missed_events === null ? {} : { lost_events: missed_events }),
    warnings: warningsOf(now, table),
    unavailable: [
      ...(program_avg_ns === null ? [noRunTimes] : []),
      ...(missed_events === null ? [notToldWhatIsMissed(ctx)] : []),
    ],
  };
}

/** Rows of processes that are not ours. */
export const othersOf = (table: SwitchTable, { own }: Collected) =>
  [...table.processes.values()].filter(({ tgid }) => !own?.has(tgid));

const ownSwitches = (table: SwitchTable, { own }: Collected): number | null =>
  own && [...own].reduce((sum, tgid) => sum + (table.processes.get(tgid)?.switches_from ?? 0), 0);

/** Tables are read one after the other: only a full one says that switches are missing. */
function unattributed(table: SwitchTable, now: Collected): number {
  const { from, to } = now.after.counts;
  return Math.max(
    from.size >= now.map_keys ? table.unattributed.from : 0,
    to.size >= now.map_keys ? table.unattributed.to : 0,
  );
}

export function warningsOf(now: Collected, table: SwitchTable): readonly string[] {
  const lost = unattributed(table, now);
  const keys = now.map_keys;
  return [
    ...(lost > 0
      ? [`A table of ${keys} keys was full: ${lost} switches are in no process row.`]
      : []),
    ...(now.own === null
      ? ['In this PID namespace our own switches cannot be told: they are among the others.']
      : []),
    ...(now.ended_by === 'tracer_ended'
      ? ['bpftrace was ended by something else: what it counted after the last answer may be lost.']
      : []),
    ...(now.ended_by === 'time_limit'
      ? [`Collection ended at its time limit of ${now.limit_ms / 1000} s.`]
      : []),
  ];
}

const noRunTimes: Unavailable = {
  what: 'own.program_avg_ns',
  reason: 'The kernel counts the run time of BPF programs only when told to, which costs as well.',
  fix: enable_bpf_stats,
};

const notToldWhatIsMissed = ({ uid }: Context): Unavailable =>
  uid === 0
    ? { what: 'missed_events', reason: 'The kernel tells what probes miss since 5.12.', fix: null }
    : {
        what: 'missed_events',
        reason: 'A helper runs the tracer as root: what its probes miss is for root to see.',
        fix: 'sudo tracewright mcp',
      };

const nothing: SchedulingStats = {
  total_events: null,
  collection_duration_secs: null,
  events_per_sec: null,
  num_cpus_observed: null,
  per_cpu: null,
  unique_processes: null,
  collection_enabled: false,
  context_switches: null,
  context_switches_per_sec: null,
  window_secs: null,
  ended_by: null,
  time_limit_secs: null,
  ends_in_secs: null,
  missed_events: null,
  unattributed_switches: null,
  own: null,
  attached: [],
};

/** The answer where there is nothing to tell, with the reason. */
export function nothingCollected<T>(ctx: Context, data: T, what: string): Reading<T> {
  const reason = wasReset(ctx)
    ? 'Collection is disabled, and what it had counted was reset.'
    : 'Collection was never enabled in this server.';
  return {
    data,
    source: 'nothing',
    summary: [reason, 'Call enable_collection first.'],
    unavailable: [{ what, reason, fix: 'enable_collection' }],
  };
}

function inWords(stats: SchedulingStats): string[] {
  const { context_switches, window_secs, context_switches_per_sec, num_cpus_observed } = stats;
  const state = stats.collection_enabled
    ? `Collection is on and ends in ${stats.ends_in_secs} s.`
    : 'Collection is off; the window ended with it.';
  const own =
    stats.own?.switches == null ? '' : `, without ${stats.own.switches} switches of our own`;
  return [
    `${context_switches} context switches in ${window_secs} s (${context_switches_per_sec}/s) on ${num_cpus_observed} CPUs.`,
    `${stats.unique_processes} processes; ${stats.total_events} events, two for each switch${own}.`,
    state,
  ];
}
