import type { SwitchCounts } from '../../parsers/collection/collection.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import { switchTable } from '../analysis/switch-table.ts';
import type { Call, Context } from '../context.ts';
import { cut, page } from '../page.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { collected } from './collection-session.ts';
import { nothingCollected, othersOf, warningsOf } from './collection-stats.ts';
import { pidsDiffer } from './traced-process.ts';

export const sortKeys = ['switches_from', 'switches_to', 'total'] as const;

type Query = Readonly<{ limit: number; offset: number; sort_by: (typeof sortKeys)[number] }>;

type Row = Readonly<{
  /** 0 is the idle task of every CPU. */
  tgid: number;
  /** As it is named now, or was when it ended. */
  comm: string | null;
  switches_from: number;
  switches_to: number;
  total_switches: number;
}>;

export type TopProcesses = Readonly<{
  top_processes: readonly Row[] | null;
  sort_by: Query['sort_by'];
  limit: number;
  offset: number;
  total_processes: number | null;
  collection_enabled: boolean;
  window_secs: number | null;
}>;

/** The processes that were switched most since collection was enabled or reset, without our own. */
export async function collectTopProcesses(
  ctx: Context,
  query: Query,
  call: Call,
): Promise<Reading<TopProcesses>> {
  const echoed = { sort_by: query.sort_by, limit: query.limit, offset: query.offset };
  const now = await collected(ctx, call);
  if (!now) {
    const nothing = { top_processes: null, total_processes: null, window_secs: null };
    const data = { ...nothing, ...echoed, collection_enabled: false };
    return nothingCollected<TopProcesses>(ctx, data, 'top processes');
  }
  const table = switchTable(now.before.counts, now.after.counts);
  const ranked = othersOf(table, now)
    .map((row) => ({ ...row, total: row.switches_from + row.switches_to }))
    .sort((a, b) => b[query.sort_by] - a[query.sort_by] || a.tgid - b.tgid);
  const shown = page(ranked, query);
  const nameOf = namer(ctx, now.after.counts);
  const rows = shown.rows.map(({ tgid, switches_from, switches_to, total }) => ({
    tgid,
    comm: nameOf(tgid),
    switches_from,
    switches_to,
    total_switches: total,
  }));
  return {
    data: {
      top_processes: rows,
      ...echoed,
      total_processes: shown.total,
      collection_enabled: now.ended_by === null,
      window_secs: now.window_ms / 1000,
    },
    source: 'bpftrace, /proc/PID/comm',
    summary: inWords(rows, shown.total, now.window_ms),
    window_ms: now.window_ms,
    ...(now.cost.missed_events === null ? {} : { lost_events: now.cost.missed_events }),
    ...cut(shown, `the same call with offset ${shown.next_offset}`),
    warnings: warningsOf(now, table),
    unavailable: rows.some(({ comm }) => comm === null) ? [noName(ctx)] : [],
  };
}

/** Names cost nothing in the kernel this way: those alive are asked, the others have left theirs. */
function namer(ctx: Context, { exited }: SwitchCounts): (tgid: number) => string | null {
  const foreign = pidsDiffer(ctx);
  return (tgid) => {
    if (tgid === 0) return 'swapper';
    const alive = foreign ? null : ctx.files.text(`/proc/${tgid}/comm`);
    const name = alive ?? exited.get(String(tgid));
    return name === undefined ? null : untrusted(name, 32);
  };
}

const noName = (ctx: Context): Unavailable => ({
  what: 'comm',
  reason: pidsDiffer(ctx)
    ? 'In this PID namespace processes have other numbers than the kernel counts by.'
    : 'The process ended between the count and this answer.',
  fix: pidsDiffer(ctx)
    ? 'Start the server in the PID namespace of the host (docker run --pid=host).'
    : 'get_top_processes',
});

function inWords(rows: readonly Row[], total: number, window_ms: number): string[] {
  const busiest = rows
    .filter(({ tgid }) => tgid !== 0)
    .slice(0, 4)
    .map(({ comm, tgid, switches_from, switches_to }) => {
      return `${comm ?? '?'} (${tgid}): ${switches_from} switches from, ${switches_to} to.`;
    });
  return [`${total} processes were switched within ${window_ms / 1000} s.`, ...busiest];
}
