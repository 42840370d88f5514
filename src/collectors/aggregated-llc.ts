import type { Call, Context } from '../context.ts';
import { cut, page } from '../page.ts';
import type { Reading, Unavailable } from '../reading.ts';
import {
  again,
  type CpuGroup,
  cpuGroup,
  measureCpus,
  ownWindows,
  provenance,
  schedulingSummary,
  type Windows,
} from './aggregated.ts';
import { kernelFacts } from './kernel-facts.ts';

/** `node_id` is null where the cache spans nodes. */
export type LlcRow = Readonly<{ llc_id: number; node_id: number | null; cache_hit_pct: null }> &
  CpuGroup;

export type AggregatedLlc = Readonly<{
  total_llcs: number;
  switches_window_ms: number | null;
  /** There where `trace_ms` was asked for; null where it could not be traced. */
  trace_window_ms?: number | null;
  llcs: readonly LlcRow[];
}>;

/** What a generic event counts as the last level differs: on AMD Zen it is the L2. */
function noHits(ctx: Context): Unavailable {
  const counted = kernelFacts(ctx).pmu.value !== null;
  return {
    what: 'cache_hit_pct',
    reason:
      'Hits need the hardware counters of this very processor, which virtual machines mostly lack.',
    fix: counted ? 'sudo perf stat -a --per-socket -e LLC-loads,LLC-load-misses sleep 1' : null,
  };
}

type Params = Windows & Readonly<{ limit: number; offset: number }>;

/** What the CPUs of each last-level cache did together during the window. */
export async function collectAggregatedLlc(
  ctx: Context,
  { limit, offset, ...windows }: Params,
  call: Call,
): Promise<Reading<AggregatedLlc>> {
  const measured = await measureCpus(ctx, windows, call);
  const rows = measured.topology.llcs.map(
    ({ id, node_id, cpus }): LlcRow => ({
      llc_id: id,
      node_id,
      cache_hit_pct: null,
      ...cpuGroup(measured, cpus),
    }),
  );
  const shown = page(rows, { limit, offset });
  const measuredBy = provenance(measured);
  return {
    data: {
      total_llcs: rows.length,
      ...ownWindows(measured),
      llcs: shown.rows,
    },
    ...measuredBy,
    unavailable: [...(measuredBy.unavailable ?? []), noHits(ctx)],
    ...cut(
      shown,
      `Read stats://aggregated/llc?limit=${limit}&offset=${shown.next_offset}${again(windows)}`,
    ),
    summary: [...busiest(rows), ...schedulingSummary(measured)],
  };
}

function busiest(rows: readonly LlcRow[]): string[] {
  const known = rows.filter((row) => row.util_pct !== null);
  const [first, ...others] = known.sort((a, b) => (b.util_pct ?? 0) - (a.util_pct ?? 0));
  const last = others.at(-1);
  if (!first) return [];
  const hottest = `LLC ${first.llc_id} (CPUs ${first.cpus}) ${first.util_pct} %`;
  if (!last) return [`One last-level cache: ${hottest} busy.`];
  return [
    `${rows.length} last-level caches; busiest ${hottest}, ` +
      `idlest LLC ${last.llc_id} (CPUs ${last.cpus}) ${last.util_pct} %.`,
  ];
}
