import type { BpfPrograms } from '../../parsers/bpftool-prog/bpftool-prog.ts';
import type { Call, Context } from '../context.ts';
import { toTracewrightError } from '../errors.ts';
import { cut, page } from '../page.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { heldPrograms } from './bpf-holders.ts';
import { listObjects, listPrograms } from './bpf-objects.ts';
import { type BpfProgramRow, mapsMemory, programRow } from './bpf-program-row.ts';
import { enable_bpf_stats, measureRunTimes, type RunTimes, statsEnabled } from './bpf-run-times.ts';
import { round, sumKnown, sumOfAll } from './rates.ts';
import { schedExtState } from './sched-ext.ts';
import { changeInWords, changeSince } from './scheduler-change.ts';
import { rightsObstacle } from './tracing-obstacles.ts';

type Query = Readonly<{
  limit: number;
  offset: number;
  type?: string | undefined;
  stats_ms?: number | undefined;
}>;

export type LoadedPrograms = Readonly<{
  /** By CPU time where it was measured, else the newest first. */
  programs: readonly BpfProgramRow[];
  /** Of the type asked for. */
  total_count: number | null;
  by_type: Readonly<Record<string, number>>;
  programs_memlock_bytes: number | null;
  /** Of all maps that a listed program uses, each counted once. */
  maps_memlock_bytes: number | null;
  run_time_stats: Readonly<{ enabled: boolean | null; how_to_enable: string }>;
}>;

const how_to_enable = `For a window: bpf://programs?stats_ms=1000. For good: ${enable_bpf_stats}`;

/** The BPF programs that are loaded, with what they are attached to, use and cost. */
export async function collectBpfPrograms(
  ctx: Context,
  query: Query,
  call: Call,
): Promise<Reading<LoadedPrograms>> {
  const { stats_ms } = query;
  const before = schedExtState(ctx);
  try {
    const sampled: Sampled =
      stats_ms === undefined
        ? await listPrograms(ctx, call)
        : await measureRunTimes(ctx, stats_ms, call);
    const [problem] = sampled.errors;
    if (sampled.programs.length === 0 && problem !== undefined) return refused(ctx, problem);
    const reading = await describe(ctx, sampled, query, call);
    const change = await changeSince(ctx, before, call);
    if (change === null) return reading;
    return { ...reading, warnings: [changeInWords(change), ...(reading.warnings ?? [])] };
  } catch (thrown) {
    const error = toTracewrightError(thrown);
    if (error.code !== 'TOOL_NOT_FOUND') throw thrown;
    return nothing(ctx, error.message, error.suggestion);
  }
}

type Sampled = BpfPrograms & Partial<RunTimes>;

async function describe(
  ctx: Context,
  sampled: Sampled,
  query: Query,
  call: Call,
): Promise<Reading<LoadedPrograms>> {
  const { programs, errors, run_times = new Map(), window_ms, warnings = [] } = sampled;
  const stats_enabled = statsEnabled(ctx);
  const objects = await listObjects(ctx, call);
  const held = heldPrograms(ctx);
  const wanted = programs.filter(({ type }) => query.type === undefined || type === query.type);
  const rows = wanted.map((program) =>
    programRow(program, { objects, held, run_times, stats_enabled }),
  );
  const shown = page(rows.sort(byCost), query);
  const unmeasured = rows.filter(({ run_time_ns }) => run_time_ns === null).length;
  const incomplete = 'Not every process could be looked at: holders of programs may be missing.';
  return {
    data: {
      programs: shown.rows,
      total_count: rows.length,
      by_type: countByType(programs.map(({ type }) => type)),
      programs_memlock_bytes: sumOfAll(rows.map(({ memlock_bytes }) => memlock_bytes)),
      maps_memlock_bytes: mapsMemory(
        rows.flatMap(({ map_ids }) => map_ids),
        objects.maps,
      ),
      run_time_stats: { enabled: stats_enabled, how_to_enable },
    },
    source: 'bpftool prog, link, map, struct_ops and perf show; /proc/<pid>/fdinfo',
    summary: words(rows, query.type),
    ...(window_ms === undefined ? {} : { window_ms }),
    warnings: [...warnings, ...errors, ...(held.complete ? [] : [incomplete])],
    unavailable: [
      ...(unmeasured > 0 ? [neverMeasured(unmeasured)] : []),
      ...(rows.length > unmeasured ? [onlyMeans] : []),
      ...(objects.links ? [] : [notListed('links')]),
      ...(objects.maps ? [] : [notListed('maps')]),
    ],
    ...cut(shown, `bpf://programs?${rest(query, shown.next_offset)}`),
  };
}

const onlyMeans: Unavailable = {
  what: 'percentiles of the run time',
  reason: 'The kernel sums the run times of a program: their mean is known, their spread is not.',
  fix: null,
};

function byCost(a: BpfProgramRow, b: BpfProgramRow): number {
  return (b.window?.run_time_ns ?? -1) - (a.window?.run_time_ns ?? -1) || b.id - a.id;
}

function countByType(types: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function words(rows: readonly BpfProgramRow[], type: string | undefined): readonly string[] {
  const kind = type === undefined ? '' : `${type} `;
  const schedulers = new Set(rows.flatMap(({ scheduler }) => scheduler ?? []));
  const [first] = rows;
  const busiest = first?.window?.cpu_pct
    ? [
        `Most CPU: ${first.name ?? first.id} (${first.type}) with ${first.window.cpu_pct} % of one CPU, ${first.window.run_count_per_s} runs a second.`,
      ]
    : [];
  return [
    `${rows.length} ${kind}BPF programs are loaded.`,
    ...busiest,
    ...[...schedulers].map((name) => schedulerWords(name, rows)),
  ];
}

/** What the callbacks of a scheduler cost together, where that was measured. */
function schedulerWords(name: string, rows: readonly BpfProgramRow[]): string {
  const own = rows.filter(({ scheduler }) => scheduler === name);
  const is = `${own.length} are callbacks of the sched_ext scheduler ${name}`;
  const cpu_pct = sumKnown(own.map(({ window }) => window?.cpu_pct));
  if (cpu_pct === null) return `${is}.`;
  const [first] = own;
  const busiest = first?.window?.run_count ? `, most of it ${first.struct_ops?.callback}` : '';
  return `${is}: together ${round(cpu_pct, 3)} % of one CPU${busiest}.`;
}

function rest({ type, stats_ms }: Query, offset: number | null): URLSearchParams {
  return new URLSearchParams({
    ...(type === undefined ? {} : { type }),
    ...(stats_ms === undefined ? {} : { stats_ms: String(stats_ms) }),
    offset: String(offset),
  });
}

const neverMeasured = (count: number): Unavailable => ({
  what: `run time of ${count} programs`,
  reason: 'The kernel does not count it (kernel.bpf_stats_enabled is 0).',
  fix: enable_bpf_stats,
});

const notListed = (what: string): Unavailable => ({
  what,
  reason: `bpftool could not list the ${what}.`,
  fix: null,
});

function refused(ctx: Context, problem: string): Reading<LoadedPrograms> {
  const reason = `bpftool: ${problem}.`;
  if (ctx.uid !== 0) return nothing(ctx, reason, 'sudo tracewright read bpf://programs');
  const lacking = rightsObstacle(ctx);
  return nothing(ctx, lacking ? `${reason} ${lacking.reason}` : reason, lacking?.fix ?? null);
}

function nothing(ctx: Context, reason: string, fix: string | null): Reading<LoadedPrograms> {
  return {
    data: {
      programs: [],
      total_count: null,
      by_type: {},
      programs_memlock_bytes: null,
      maps_memlock_bytes: null,
      run_time_stats: { enabled: statsEnabled(ctx), how_to_enable },
    },
    source: 'nothing',
    summary: ['The BPF programs of this host cannot be listed.'],
    unavailable: [{ what: 'bpf://programs', reason, fix }],
  };
}
