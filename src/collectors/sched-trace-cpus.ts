import type { Distribution } from '../../parsers/distribution.ts';
import {
  type Moves,
  parseSchedAggregates,
  type SchedAggregates,
  type SoftirqTime,
} from '../../parsers/sched-aggregates/sched-aggregates.ts';
import type { Call, Context } from '../context.ts';
import type { Unavailable } from '../reading.ts';
import { type Distances, distanceOf } from './migration-distances.ts';
import type { Places } from './process-row.ts';
import { type Beside, besideTrace, type SchedTrace, traceWarnings } from './sched-trace.ts';
import { addWaits, noWaits, type WaitFigures, waitFigures } from './wait-figures.ts';

/** Tasks that came to these CPUs and left them. The distances are of those that came, and add up. */
export type Migrations = Readonly<{ in: number; out: number }> & Distances;

export type SoftirqUse = Readonly<{
  count: number;
  time_ns: number;
  by_vector: Readonly<Record<string, Readonly<{ count: number; time_ns: number }>>>;
}>;

/** What was traced of one or more CPUs: a group's figures are the sums and merges of its CPUs'. */
export type TracedUse = Readonly<{
  /** From a wakeup until the task runs. */
  wakeup_latency: WaitFigures | null;
  /** The same, and from losing a CPU until running again. */
  run_queue_latency: WaitFigures | null;
  migrations: Migrations | null;
  softirq: SoftirqUse | null;
}>;

/** What was traced of each CPU, in one window over all of them. */
export type CpuTrace = Readonly<{
  window_ms: number;
  lost_events: number;
  warnings: readonly string[];
  of: ReadonlyMap<number, CpuFigures>;
  /** Which ways tasks were moved, most used first. */
  moves: readonly Moves[];
}>;

type CpuFigures = {
  woken: Distribution;
  preempted: Distribution;
  migrations: Record<keyof Migrations, number>;
  softirqs: SoftirqTime[];
};

const fields = 'wakeup_latency, run_queue_latency, migrations, softirq';

/** Measures something and traces all CPUs during the same time; null where nobody asked for it. */
export function besideCpuTrace<M>(
  ctx: Context,
  trace_ms: number | undefined,
  measure: () => Promise<M>,
  call: Call,
): Promise<Beside<M, SchedAggregates>> {
  const program = { script: 'sched-aggregates' } as const;
  const plan = { program, trace_ms: trace_ms ?? null, what: fields, parse: parseSchedAggregates };
  return besideTrace(ctx, plan, measure, call);
}

export function cpuTrace(trace: SchedTrace<SchedAggregates>, places: Places): CpuTrace {
  const { figures, window_ms } = trace;
  const of = new Map<number, CpuFigures>();
  for (const { cpu, woken, ...waits } of figures.waits) {
    figuresOf(of, cpu)[woken ? 'woken' : 'preempted'] = waits;
  }
  for (const { from_cpu, to_cpu, count } of figures.moves) {
    figuresOf(of, from_cpu).migrations.out += count;
    const { migrations } = figuresOf(of, to_cpu);
    migrations.in += count;
    const distance = distanceOf(places, from_cpu, to_cpu);
    if (distance) migrations[distance] += count;
  }
  for (const each of figures.softirqs) figuresOf(of, each.cpu).softirqs.push(each);
  const waits = figures.waits.reduce((sum, { count }) => sum + count, 0);
  return {
    window_ms,
    lost_events: figures.lost_events,
    warnings: traceWarnings(trace, waits),
    of,
    moves: figures.moves.toSorted((a, b) => b.count - a.count),
  };
}

function figuresOf(of: Map<number, CpuFigures>, cpu: number): CpuFigures {
  const known = of.get(cpu);
  if (known) return known;
  const figures = { woken: noWaits, preempted: noWaits, migrations: { ...noMoves }, softirqs: [] };
  of.set(cpu, figures);
  return figures;
}

const noMoves = { in: 0, out: 0, within_core: 0, within_llc: 0, cross_llc: 0, cross_node: 0 };

/** No fields where nobody asked for them, null in them where they could not be traced. */
export function tracedUse(
  trace: CpuTrace | Unavailable | null,
  cpus: readonly number[],
): Partial<TracedUse> {
  if (trace === null) return {};
  if ('what' in trace) {
    return { wakeup_latency: null, run_queue_latency: null, migrations: null, softirq: null };
  }
  const each = cpus.map((cpu) => trace.of.get(cpu)).filter((known) => known !== undefined);
  const woken = addWaits(each.map((figures) => figures.woken));
  const preempted = addWaits(each.map((figures) => figures.preempted));
  return {
    wakeup_latency: waitFigures(woken),
    run_queue_latency: waitFigures(addWaits([woken, preempted])),
    migrations: addMigrations(each.map((figures) => figures.migrations)),
    softirq: addSoftirqs(each.flatMap((figures) => figures.softirqs)),
  };
}

function addMigrations(each: readonly Migrations[]): Migrations {
  const sum = (name: keyof Migrations): number =>
    each.reduce((total, moves) => total + moves[name], 0);
  return {
    in: sum('in'),
    out: sum('out'),
    within_core: sum('within_core'),
    within_llc: sum('within_llc'),
    cross_llc: sum('cross_llc'),
    cross_node: sum('cross_node'),
  };
}

/** By number (include/linux/interrupt.h), with the names of /proc/softirqs. */
const softirq_names = [
  'HI',
  'TIMER',
  'NET_TX',
  'NET_RX',
  'BLOCK',
  'IRQ_POLL',
  'TASKLET',
  'SCHED',
  'HRTIMER',
  'RCU',
];

function addSoftirqs(each: readonly SoftirqTime[]): SoftirqUse {
  const by_vector: Record<string, { count: number; time_ns: number }> = {};
  const all = { count: 0, time_ns: 0 };
  for (const { vector, count, time_ns } of each) {
    const name = softirq_names[vector] ?? `vector ${vector}`;
    const sum = by_vector[name] ?? { count: 0, time_ns: 0 };
    by_vector[name] = { count: sum.count + count, time_ns: sum.time_ns + time_ns };
    all.count += count;
    all.time_ns += time_ns;
  }
  return { ...all, by_vector };
}
