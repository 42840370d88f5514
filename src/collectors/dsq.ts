import type { DsqCounts, Waits } from '../../parsers/dsq/dsq.ts';
import { dsqId } from '../../parsers/dsq/dsq-id.ts';
import { percentile } from '../analysis/histogram.ts';
import type { Call, Context } from '../context.ts';
import { cut, page } from '../page.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { dsq_uri } from './dsq-probe.ts';
import { dsqSession } from './dsq-session.ts';
import { perSecond, round } from './rates.ts';
import { schedExtState } from './sched-ext.ts';

type DsqQuery = Readonly<{ limit: number; offset: number; window_ms: number; histogram: boolean }>;
export type Dsqs = Readonly<{
  dsqs: readonly DsqRow[] | null;
  total_dsqs: number | null;
  scheduler: string | null;
  attached: string | null;
}>;
type DsqRow = ReturnType<typeof dsqRow>;

/**
 * The dispatch queues of the running sched_ext scheduler over a window. Without one, or where it
 * cannot be traced, `dsqs` is null with the reason.
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
  const watched = await dsqSession(ctx, query.window_ms, before.enable_seq, call);
  if ('what' in watched) return absent(watched);
  const { output, probe, window_ms } = watched;
  const rows = [...output.queues]
    .map(([id, counts]) => dsqRow(id, counts, window_ms, query.histogram))
    .sort((a, b) => b.nr_enqueues - a.nr_enqueues);
  const shown = page(rows, query);
  const target = probe.by === 'name' ? `${probe.kind}:${probe.symbol}` : `kprobe:${probe.symbol}`;
  return {
    data: {
      dsqs: shown.rows,
      total_dsqs: rows.length,
      scheduler: before.ops?.name ?? null,
      attached: `${target}, tracepoint:sched:sched_switch, tracepoint:sched:sched_process_exit`,
    },
    source: 'bpftrace',
    summary: inWords(rows, before.ops?.name ?? 'sched_ext', window_ms),
    window_ms,
    lost_events: output.lost_events,
    ...cut(shown, `${dsq_uri}?limit=${query.limit}&offset=${shown.next_offset}`),
    warnings: changesMeanwhile(ctx, before),
  };
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

function inWords(rows: readonly DsqRow[], scheduler: string, window_ms: number): string[] {
  const busiest = rows.slice(0, 4).map(({ dsq_id, label, user, inserts_per_s, queue_wait }) => {
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

/** A scheduler that went while we measured makes the figures those of two. */
function changesMeanwhile(
  ctx: Context,
  before: ReturnType<typeof schedExtState>,
): readonly string[] {
  const after = schedExtState(ctx);
  if (after.active && after.enable_seq === before.enable_seq) return [];
  const gone = after.active ? 'was replaced' : 'was unloaded or ejected';
  return [
    `${before.ops?.name ?? 'The scheduler'} ${gone} during the window: see scheduler://current.`,
  ];
}

function absent(problem: Unavailable): Reading<Dsqs> {
  return {
    data: { dsqs: null, total_dsqs: null, scheduler: null, attached: null },
    source: 'nothing',
    summary: [`Dispatch queues cannot be told: ${problem.reason}`],
    unavailable: [problem],
  };
}
