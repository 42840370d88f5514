import type { Moves } from '../../parsers/sched-aggregates/sched-aggregates.ts';
import type { Call, Context } from '../context.ts';
import { cut, page } from '../page.ts';
import type { Reading } from '../reading.ts';
import {
  again,
  type CpuGroupUse,
  type CpuMeasurement,
  cpuGroup,
  groupUse,
  measureCpus,
  ownWindows,
  provenance,
  schedulingSummary,
  type Windows,
} from './aggregated.ts';
import { meanKnown, round } from './rates.ts';

/** `core_id` and `llc_id` count over the whole host; all three ids are those of topology://info. */
export type CpuRow = Readonly<{
  cpu_id: number;
  core_id: number | null;
  llc_id: number | null;
  node_id: number | null;
}> &
  CpuGroupUse;

export type CpuSort = 'cpu' | 'util' | 'switches' | 'migrations';

/** How evenly the CPUs are used. */
export type UtilSpread = Readonly<{
  min_util_pct: number | null;
  max_util_pct: number | null;
  mean_util_pct: number | null;
  stddev_util_pct: number | null;
}>;

type Extreme = Readonly<{ cpu_id: number; util_pct: number }>;

export type AggregatedCpu = Readonly<{
  /** CPUs online. */
  total_cpus: number;
  spread: UtilSpread;
  outliers: Readonly<{ hottest: readonly Extreme[]; coldest: readonly Extreme[] }>;
  switches_window_ms: number | null;
  /** There where `trace_ms` was asked for; null where it could not be traced. */
  trace_window_ms?: number | null;
  /** The most used ways between two CPUs. */
  top_moves?: readonly Moves[] | null;
  cpus: readonly CpuRow[];
}>;

type Params = Windows & Readonly<{ limit: number; offset: number; sort: CpuSort }>;

const extremes_shown = 3;
const moves_shown = 5;
const llcs_in_summary = 8;

/** What each online CPU did during the window, with the spread over all of them. */
export async function collectAggregatedCpu(
  ctx: Context,
  { limit, offset, sort, ...windows }: Params,
  call: Call,
): Promise<Reading<AggregatedCpu>> {
  const measured = await measureCpus(ctx, windows, call);
  const rows = cpuRows(measured);
  const shown = page(rows.toSorted(by[sort]), { limit, offset });
  const spread = utilSpread(rows);
  const outliers = extremes(rows);
  const next = `Read stats://aggregated/cpu?sort=${sort}&limit=${limit}&offset=${shown.next_offset}${again(windows)}`;
  return {
    data: {
      total_cpus: rows.length,
      spread,
      outliers,
      ...ownWindows(measured),
      ...topMoves(measured),
      cpus: shown.rows,
    },
    ...provenance(measured),
    ...cut(shown, next),
    summary: [
      spreadInWords(rows.length, spread, outliers),
      ...llcsInWords(measured),
      ...schedulingSummary(measured),
    ],
  };
}

function topMoves({ trace }: CpuMeasurement): Pick<AggregatedCpu, 'top_moves'> {
  if (trace === null) return {};
  return { top_moves: 'of' in trace ? trace.moves.slice(0, moves_shown) : null };
}

function cpuRows(measured: CpuMeasurement): CpuRow[] {
  const place = new Map(measured.topology.cpus.map((cpu) => [cpu.id, cpu]));
  return measured.window.online.map((cpu_id) => {
    const cpu = place.get(cpu_id);
    return {
      cpu_id,
      core_id: cpu?.core_id ?? null,
      llc_id: cpu?.llc_id ?? null,
      node_id: cpu?.node_id ?? null,
      ...groupUse(measured, [cpu_id]),
    };
  });
}

const descending = (a: number | null, b: number | null): number => (b ?? -1) - (a ?? -1);

const by: Readonly<Record<CpuSort, (a: CpuRow, b: CpuRow) => number>> = {
  cpu: (a, b) => a.cpu_id - b.cpu_id,
  util: (a, b) => descending(a.util_pct, b.util_pct),
  switches: (a, b) => descending(a.switches_per_s, b.switches_per_s),
  migrations: (a, b) => descending(a.migrations_per_s, b.migrations_per_s),
};

function utilSpread(rows: readonly CpuRow[]): UtilSpread {
  const utils = rows.map((row) => row.util_pct).filter((util) => util !== null);
  const mean = meanKnown(utils);
  if (mean === null) {
    return { min_util_pct: null, max_util_pct: null, mean_util_pct: null, stddev_util_pct: null };
  }
  const variance = utils.reduce((sum, util) => sum + (util - mean) ** 2, 0) / utils.length;
  return {
    min_util_pct: Math.min(...utils),
    max_util_pct: Math.max(...utils),
    mean_util_pct: mean,
    stddev_util_pct: round(Math.sqrt(variance)),
  };
}

function extremes(rows: readonly CpuRow[]): AggregatedCpu['outliers'] {
  const known = rows
    .flatMap(({ cpu_id, util_pct }) => (util_pct === null ? [] : [{ cpu_id, util_pct }]))
    .sort((a, b) => b.util_pct - a.util_pct);
  return {
    hottest: known.slice(0, extremes_shown),
    coldest: known.toReversed().slice(0, extremes_shown),
  };
}

function spreadInWords(
  total: number,
  { mean_util_pct, min_util_pct, max_util_pct, stddev_util_pct }: UtilSpread,
  { hottest, coldest }: AggregatedCpu['outliers'],
): string {
  if (mean_util_pct === null) return `${total} CPUs online; no time passed on them.`;
  return (
    `${total} CPUs online, ${mean_util_pct} % busy on average: from ${min_util_pct} % ` +
    `(CPU ${coldest[0]?.cpu_id}) to ${max_util_pct} % (CPU ${hottest[0]?.cpu_id}), ` +
    `standard deviation ${stddev_util_pct}.`
  );
}

/** The busiest last-level caches: what a large host has to say beyond its mean. */
function llcsInWords(measured: CpuMeasurement): string[] {
  const { llcs } = measured.topology;
  if (llcs.length < 2) return [];
  const busiest = llcs
    .map(({ id, cpus }) => ({ id, ...cpuGroup(measured, cpus) }))
    .sort((a, b) => descending(a.util_pct, b.util_pct))
    .slice(0, llcs_in_summary)
    .map(({ id, cpus, util_pct }) => `LLC ${id} (CPUs ${cpus}) ${util_pct} %`);
  const which = llcs.length > llcs_in_summary ? `Busiest of ${llcs.length} LLCs` : 'By LLC';
  return [`${which}: ${busiest.join(', ')}.`];
}
