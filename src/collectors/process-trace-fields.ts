import type { HostFiles } from '../procfs/host-files.ts';
import type { Reading, Unavailable } from '../reading.ts';
import type { Places } from './process-row.ts';
import {
  figuresOf,
  type ProcessFigures,
  type ProcessTrace,
  topPairs,
} from './sched-trace-processes.ts';
import { pairLine, processTraceLine, waitLine } from './sched-trace-words.ts';
import { processName } from './thread-owners.ts';
import {
  addWaits,
  histogramRows,
  readOffRanges,
  type WaitFigures,
  type WaitSummary,
  waitFigures,
  waitSummary,
} from './wait-figures.ts';

export type Trace = ProcessTrace | Unavailable;

type Waits = WaitSummary & Partial<WaitFigures & Readonly<{ histogram: HistogramRows }>>;
type HistogramRows = ReturnType<typeof histogramRows>;

/** What was traced of a process; null where it could not be. */
export type TracedFields = Readonly<{
  wakeup_latency: Waits | null;
  run_queue_latency: Waits | null;
  migrations: ProcessFigures['migrations'] | null;
  /** Who woke it up most. */
  wakers: ProcessFigures['wakers'] | null;
}>;

/** What stands beside the rows of processes where they are traced; null where they cannot be. */
export type TracedOverview = Readonly<{
  trace_window_ms: number | null;
  traced: Readonly<{
    wakeup_latency: WaitFigures;
    run_queue_latency: WaitFigures;
    longest_waits: readonly (Readonly<{ pid: number; comm: string | null }> & WaitSummary)[];
    top_wakeups: ReturnType<typeof topPairs>;
  }> | null;
}>;

const pairs_shown = 10;
const waits_shown = 5;

const unknown: TracedFields = {
  wakeup_latency: null,
  run_queue_latency: null,
  migrations: null,
  wakers: null,
};

/** Of a process in the list: sums and maxima. */
export function fieldsOfRow(
  trace: Trace,
  pid: number,
  files: HostFiles,
  places: Places,
): TracedFields {
  if ('what' in trace || trace.own.has(pid)) return unknown;
  const { woken, preempted, migrations, wakers } = figuresOf(trace, pid, files, places);
  return {
    wakeup_latency: waitSummary(woken),
    run_queue_latency: waitSummary(addWaits([woken, preempted])),
    migrations,
    wakers,
  };
}

/** Of the one process that was asked for: percentiles and histograms as well, and all in words. */
export function fieldsOfOne(
  trace: Trace,
  pid: number,
  files: HostFiles,
  places: Places,
): Readonly<{ fields: TracedFields; line: string | null }> {
  if ('what' in trace || trace.own.has(pid)) return { fields: unknown, line: null };
  const figures = figuresOf(trace, pid, files, places);
  const woken = { ...figures.woken, buckets: trace.one.woken.buckets };
  const all = addWaits([woken, { ...figures.preempted, buckets: trace.one.preempted.buckets }]);
  const { migrations, wakers } = figures;
  const fields = {
    wakeup_latency: { ...waitFigures(woken), histogram: histogramRows(woken.buckets) },
    run_queue_latency: { ...waitFigures(all), histogram: histogramRows(all.buckets) },
    migrations,
    wakers,
  };
  return { fields, line: processTraceLine(fields, trace.window_ms) };
}

/** Of all processes together, and what stands out. */
export function overview(trace: Trace, files: HostFiles): TracedOverview {
  if ('what' in trace) return { trace_window_ms: null, traced: null };
  const { woken, preempted } = trace.all;
  return {
    trace_window_ms: trace.window_ms,
    traced: {
      wakeup_latency: waitFigures(woken),
      run_queue_latency: waitFigures(addWaits([woken, preempted])),
      longest_waits: longestWaits(trace, files),
      top_wakeups: topPairs(trace, files, pairs_shown),
    },
  };
}

function longestWaits({ waits }: ProcessTrace, files: HostFiles) {
  return [...waits]
    .map(([pid, { woken, preempted }]) => ({ pid, all: addWaits([woken, preempted]) }))
    .sort((a, b) => (b.all.max_ns ?? 0) - (a.all.max_ns ?? 0))
    .slice(0, waits_shown)
    .map(({ pid, all }) => ({ pid, comm: processName(files, pid), ...waitSummary(all) }));
}

export function overviewLines({ trace_window_ms, traced }: TracedOverview): readonly string[] {
  if (!traced || trace_window_ms === null) return [];
  const { wakeup_latency, run_queue_latency } = traced;
  return [
    waitLine(wakeup_latency, run_queue_latency, trace_window_ms),
    ...pairLine(traced.longest_waits[0], traced.top_wakeups[0]),
  ];
}

/** How the reading was measured, with what the tracer adds to that. */
export function provenanceOf(
  { data, source, warnings = [], unavailable = [] }: Reading<Rows>,
  trace: Trace,
) {
  if ('what' in trace) return { source, warnings, unavailable: [...unavailable, trace] };
  const own = data.processes.filter(({ pid }) => trace.own.has(pid));
  return {
    source: `bpftrace, ${source}`,
    warnings: [...warnings, ...trace.warnings],
    unavailable: [
      ...unavailable.map(alreadyTraced),
      readOffRanges,
      ...own.map(({ pid }) => leftOut(pid)),
    ],
    lost_events: trace.lost_events,
  };
}

type Rows = Readonly<{ processes: readonly Readonly<{ pid: number }>[] }>;

/** Whoever traces need not be told that a trace would tell more. */
const alreadyTraced = (missing: Unavailable): Unavailable =>
  missing.fix?.includes('trace_ms=')
    ? { ...missing, reason: `${missing.reason} It is in run_queue_latency.`, fix: null }
    : missing;

const leftOut = (pid: number): Unavailable => ({
  what: `what was traced of process ${pid}`,
  reason: 'It measures here: what it does itself is left out.',
  fix: null,
});
