import { isObject, type Json } from '../../parsers/scx-stats/exact-json.ts';
import { type Layer, parseLayers } from '../../parsers/scx-stats/layers.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import type { Reading } from '../reading.ts';
import { cutJson, type LeftOut, namesOf, partAt } from './json-part.ts';
import { noPart, stats_uri, statsUnavailable } from './scx-stats-absence.ts';
import { describeFields, meta_path } from './scx-stats-meta.ts';
import type { StatsAnswer, StatsFailure } from './scx-stats-session.ts';

export type StatsRequest = Readonly<{
  target: string;
  /** Argument of the target sched_samples of scx_lavd. */
  nr_samples?: number | undefined;
  /** `true`: descriptions of all fields; a name: those of one struct. */
  meta: string;
  /** Part of the answer: names with dots between them. */
  path: string;
  limit: number;
  offset: number;
  window_ms?: number | undefined;
}>;

/**
 * `delta`: counters count since the request before, on this connection. `absolute`: since the
 * scheduler started. `samples`: single events. Gauges are of the moment in all of them.
 */
export type StatsKind = 'delta' | 'absolute' | 'samples';

export type SchedulerStats = Readonly<{
  /** As the scheduler answers, integers beyond 2^53 as decimal text; null where it does not. */
  stats: Json;
  /** Of scx_layered: the busiest layers, at most 30. Null where the scheduler tells of none. */
  layers: readonly Layer[] | null;
  /** Descriptions of the fields by struct; null unless asked for. */
  stats_meta: Json;
  note: string;
  scheduler: string | null;
  target: string;
  kind: StatsKind | null;
  path: string;
  /** Fields that stand as decimal text; `*` for an index. */
  exact_integers: readonly string[];
  /** Parts too large for one answer. Read them with `path`, or with `meta` for stats_meta. */
  left_out: readonly LeftOut[];
}>;

export type StatsMeasured = Readonly<{
  ok: true;
  stats: StatsAnswer;
  meta: StatsAnswer | StatsFailure | null;
  kind: StatsKind;
  window_ms: number | null;
}>;

type Named = Readonly<{ scheduler: string | null; target: string }>;

const stats_budget_bytes = 30_000;
/** For each of the two where the descriptions are asked for as well. */
const half_budget_bytes = 15_000;
const exact_rows = 20;
const spoken_numbers = 8;
const layer_rows = 30;

const notes: Readonly<Record<StatsKind, string>> = {
  delta:
    'As with most schedulers, counters count from the request before to this one (window_ms), on one connection; its first answer is a baseline and is not shown. Gauges such as nr_running are of the moment. scx_stats tells neither units nor which is which: meta=true gives the descriptions. Another page is another measurement.',
  absolute:
    'This scheduler answers absolute values, not differences. scx_stats tells no units: meta=true gives the descriptions.',
  samples: 'Single scheduling events, drawn by the scheduler while it was asked.',
};

/** Why there are no statistics. INVALID_PARAMS where the scheduler does not know the target. */
export function noStats(
  ctx: Context,
  failure: StatsFailure,
  request: StatsRequest,
  named: Named,
  warnings: readonly string[],
): Reading<SchedulerStats> {
  if (failure.why === 'error' && failure.detail.includes('unknown stat target')) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      `The scheduler has no statistics "${request.target}".`,
      'Leave target out (it is "top"); scx_lavd also has sched_samples.',
    );
  }
  const unavailable = statsUnavailable(ctx, failure);
  return {
    data: {
      stats: null,
      layers: null,
      stats_meta: null,
      note: 'Nothing was measured.',
      ...named,
      kind: null,
      path: request.path,
      exact_integers: [],
      left_out: [],
    },
    source: `scx_stats on ${failure.path}`,
    summary: [unavailable.reason],
    warnings: failure.why === 'error' ? warnings : [],
    unavailable: [unavailable],
  };
}

/** The part that was asked for, cut to whole entries where it is too large for one answer. */
export function reportStats(
  ctx: Context,
  measured: StatsMeasured,
  request: StatsRequest,
  named: Named,
  warnings: readonly string[],
): Reading<SchedulerStats> {
  const { stats, kind, window_ms } = measured;
  const { path } = request;
  const chosen = partAt(stats.resp, path);
  if (chosen === undefined) throw noPart('path', path, namesOf(stats.resp));
  const shown = cutJson(chosen, request, measured.meta ? half_budget_bytes : stats_budget_bytes);
  const layers = parseLayers(stats.resp);
  const meta = describeFields(ctx, measured.meta, request.meta, half_budget_bytes);
  const left_out = [...shown.left_out, ...meta.left_out];
  const next = nextRead(request, shown.next_offset, left_out[0]);
  const period = window_ms === null ? 'now' : `over ${(window_ms / 1000).toFixed(1)} s`;
  return {
    data: {
      stats: shown.value,
      layers: layers?.slice(0, layer_rows) ?? null,
      stats_meta: meta.value,
      note: notes[kind],
      ...named,
      kind,
      path,
      exact_integers: exactFields(stats.exact, path),
      left_out,
    },
    source: `scx_stats on ${stats.path}`,
    summary: [
      `${named.scheduler ?? 'The scheduler'} ${period}: ${numbersOf(shown.value)}.`,
      ...(layers === null ? [] : [layersInWords(layers)]),
      ...(next === null ? [] : [`Not all of it is here; the rest: ${next}`]),
    ],
    ...(window_ms === null ? {} : { window_ms }),
    ...(next === null ? {} : { truncated: true, total: shown.total, next }),
    warnings: [...warnings, ...meta.warnings],
    unavailable: meta.unavailable,
  };
}

/** The same read for the next page, or for the first part that was left out; null: all is there. */
function nextRead(
  { target, nr_samples, window_ms, meta, path, limit }: StatsRequest,
  next_offset: number | null,
  left_out: LeftOut | undefined,
): string | null {
  if (next_offset === null && left_out === undefined) return null;
  const query = new URLSearchParams({ target });
  if (nr_samples !== undefined) query.set('nr_samples', String(nr_samples));
  if (window_ms !== undefined) query.set('window_ms', String(window_ms));
  const struct = left_out?.path.startsWith(meta_path) && left_out.path.slice(meta_path.length);
  if (next_offset !== null) {
    if (path !== '') query.set('path', path);
    query.set('limit', String(limit));
    query.set('offset', String(next_offset));
    if (meta !== 'false') query.set('meta', meta);
  } else if (struct) query.set('meta', struct);
  else query.set('path', left_out?.path ?? '');
  return `${stats_uri}?${query}`;
}

/** `layers.batch.cpus.0` becomes `layers.batch.cpus.*`: one entry for a whole list. */
function exactFields(exact: readonly string[], path: string): readonly string[] {
  const inside = exact.filter((each) => `${each}.`.startsWith(path === '' ? '' : `${path}.`));
  const fields = inside.map((each) => each.replace(/\.\d+(?=\.|$)/g, '.*'));
  return [...new Set(fields)].slice(0, exact_rows).map((each) => each.slice(0, 300));
}

const spoken = (value: Json): string =>
  String(typeof value === 'number' ? Math.round(value * 100) / 100 : value);

/** The first numbers, as a person would read them out; of those that are 0, how many. */
function numbersOf(value: Json): string {
  if (typeof value === 'number') return spoken(value);
  const entries = isObject(value) ? Object.entries(value) : [];
  const numbers = entries.filter(([, each]) => typeof each === 'number');
  if (numbers.length === 0) {
    const names = namesOf(value).slice(0, spoken_numbers).join(', ');
    return names === '' ? 'nothing' : `entries ${names}`;
  }
  const moved = numbers.filter(([, each]) => each !== 0);
  const said = moved.slice(0, spoken_numbers).map(([name, each]) => `${name} ${spoken(each)}`);
  const zeros = numbers.length - moved.length;
  return [...said, ...(zeros > 0 ? [`${zeros} fields 0`] : [])].join(', ');
}

/** Counts and the CPU that the busiest use; scx_layered calls one full CPU 100. */
function layersInWords(layers: readonly Layer[]): string {
  const busiest = layers.slice(0, 3).map(({ name, util_pct, tasks }) => {
    const used = util_pct === null ? 'an unknown share' : `${util_pct} %`;
    return `${name} ${used} of a CPU${tasks === null ? '' : ` with ${tasks} ${tasks === 1 ? 'task' : 'tasks'}`}`;
  });
  return `${layers.length} layers; the busiest: ${busiest.join(', ')}.`;
}
