import type { DsqCounts, Waits } from '../../parsers/dsq/dsq.ts';
import { dsqId } from '../../parsers/dsq/dsq-id.ts';
import { percentile } from '../analysis/histogram.ts';
import type { Call, Context } from '../context.ts';
import { cut, page } from '../page.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { type DsqChange, dsqChanges } from './dsq-changes.ts';
import { dsq_uri } from './dsq-probe.ts';
import { dsqSession, type Watched } from './dsq-session.ts';
import type { SchedulerShare } from './dsq-stages.ts';
import { perSecond, round } from './rates.ts';
import { schedExtState } from './sched-ext.ts';
import { changeInWords } from './scheduler-change.ts';
import { readOffRanges } from './wait-figures.ts';

type DsqQuery = Readonly<{ limit: number; offset: number; window_ms: number; histogram: boolean }>;
export type Dsqs = Readonly<{
  /** With `scheduler`, `enable_seq` and `window_ms` each where more than one scheduler ran. */
  dsqs: readonly DsqRow[] | null;
  total_dsqs: number | null;
  /** Names, one after the other where more than one ran. */
  scheduler: string | null;
  attached: string | null;
  changes: readonly DsqChange[];
}>;
type DsqRow = ReturnType<typeof dsqRow> &
  Partial<Readonly<{ scheduler: string; enable_seq: number | null; window_ms: number }>>;

/**
 * The dispatch queues of the running sched_ext scheduler over a window, those of the next one apart
 * where it was replaced. Without one, or where it cannot be traced, `dsqs` is null with the reason.
 */
export async function collectDsqs(
  ctx: Context,
  query: DsqQuery,
  call: Call,
): Promise<Reading<Dsqs>> {
  const before = schedExtState(ctx);
  if (!before.active) {
    return absent({ what: dsq_uri, reason: before.reason ?? '', fix: before.fix });
  }
  const watched = await dsqSession(ctx, query.window_ms, call);
  if ('what' in watched) return absent(watched);
  const changes = await dsqChanges(ctx, before, watched, call);
  const { probe, shares } = watched;
  const [only] = shares;
  const rows = shares
    .flatMap((share) => rowsOf(share, shares.length > 1, query.histogram))
    .sort((a, b) => b.nr_enqueues - a.nr_enqueues);
  const shown = page(rows, query);
  const target = probe.by === 'name' ? `${probe.kind}:${probe.symbol}` : `kprobe:${probe.symbol}`;
  return {
    data: {
      dsqs: shown.rows,
      total_dsqs: rows.length,
      scheduler: shares.map(schedulerOf).join(', ') || null,
      attached: `${target}, tracepoint:sched:sched_switch, tracepoint:sched:sched_process_exit`,
      changes,
    },
    source: 'bpftrace',
    summary: shares.flatMap((share) =>
      inWords(rowsOf(share, false, false), schedulerOf(share), share.window_ms, shares.length),
    ),
    window_ms: only && shares.length === 1 ? only.window_ms : watched.window_ms,
    lost_events: watched.lost_events,
    ...cut(shown, `${dsq_uri}?limit=${query.limit}&offset=${shown.next_offset}`),
    warnings: changes.map((change) =>
      changeInWords(change, change.after_ms === 0 ? 'meanwhile' : `after ${change.after_ms} ms`),
    ),
    unavailable: [...leftOut(watched), ...(shares.length > 0 ? [readOffRanges] : [])],
  };
}

const schedulerOf = ({ state }: SchedulerShare): string => state.ops?.name ?? 'sched_ext';

/** `named`: each row says whose it is, over which window. */
function rowsOf(share: SchedulerShare, named: boolean, histogram: boolean): DsqRow[] {
  const { state, window_ms, output } = share;
  const whose = named
    ? { scheduler: schedulerOf(share), enable_seq: state.enable_seq, window_ms }
    : {};
  return [...output.queues]
    .map(([id, counts]) => ({ ...whose, ...dsqRow(id, counts, window_ms, histogram) }))
    .sort((a, b) => b.nr_enqueues - a.nr_enqueues);
}

/** What cannot be told because of a change: nothing where there was none. */
function leftOut({ shares, left_out_ms }: Watched): readonly Unavailable[] {
  if (shares.length === 0) {
    const reason = 'The scheduler ended before its queues were watched.';
    return [{ what: dsq_uri, reason, fix: `tracewright read ${dsq_uri}` }];
  }
  if (left_out_ms === 0) return [];
  const reason = 'These intervals hold figures of one scheduler and the next.';
  return [{ what: `${left_out_ms} ms around the change of scheduler`, reason, fix: null }];
}

/** `window_ms` is behind every rate. Percentiles are read off power-of-two buckets. */
function dsqRow(printed: string, counts: DsqCounts, window_ms: number, histogram: boolean) {
  const { id, label, user } = dsqId(printed);
  const { inserts, dispatches, kept, depth, slice, vtime_min: min, vtime_max: max } = counts;
  const exact = Number.isSafeInteger(min) && Number.isSafeInteger(max);
  return {
    dsq_id: id,
    label,
    user,
    nr_enqueues: inserts,
    nr_dispatches: dispatches,
    nr_kept: kept,
    inserts_per_s: perSecond(inserts, window_ms),
    dispatches_per_s: perSecond(dispatches, window_ms),
    queue_depth: mean(depth.total, depth.count),
    depth_max: depth.count === 0 ? null : depth.max,
    queue_wait: waitsRow(counts.queue_wait, histogram),
    last_hop: waitsRow(counts.last_hop, histogram),
    slice_avg_ns: mean(slice.total, slice.count),
    vtime: min === null || max === null || !exact ? null : { min, max, spread: max - min },
  };
}

function waitsRow({ count, total_ns, max_ns, buckets }: Waits, histogram: boolean) {
  if (count === 0) return { count: 0 };
  return {
    count,
    avg_ns: mean(total_ns, count),
    p50_ns: percentile(buckets, 0.5, max_ns),
    p90_ns: percentile(buckets, 0.9, max_ns),
    p99_ns: percentile(buckets, 0.99, max_ns),
    max_ns,
    ...(histogram
      ? {
          histogram: buckets.map(({ min, max, count: n }) => ({
            min_ns: min,
            max_ns: max,
            count: n,
          })),
        }
      : {}),
  };
}

const mean = (total: number, count: number): number | null =>
  count === 0 ? null : round(total / count, 1);

/** `schedulers`: how many share the lines of a summary. */
function inWords(
  rows: readonly DsqRow[],
  scheduler: string,
  window_ms: number,
  schedulers: number,
): string[] {
  const busiest = rows
    .slice(0, schedulers > 1 ? 1 : 4)
    .map(({ dsq_id, label, user, inserts_per_s, queue_wait }) => {
      const name = user ? `queue ${dsq_id}` : label;
      const waits =
        'p99_ns' in queue_wait
          ? `; wait p50 ${micro(queue_wait.p50_ns)}, p99 ${micro(queue_wait.p99_ns)} us`
          : '';
      return `${name}: ${inserts_per_s} inserts/s${waits}.`;
    });
  return [
    `${scheduler}: ${rows.length} dispatch queues were used within ${window_ms} ms.`,
    ...busiest,
  ];
}

const micro = (ns: number | null | undefined): number | string =>
  ns === null || ns === undefined ? '?' : round(ns / 1000, 1);

function absent(problem: Unavailable): Reading<Dsqs> {
  return {
    data: { dsqs: null, total_dsqs: null, scheduler: null, attached: null, changes: [] },
    source: 'nothing',
    summary: [`No dispatch queues: ${problem.reason}`],
    unavailable: [problem],
  };
}
