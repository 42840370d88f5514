import { parseSchedProcesses } from '../../parsers/sched-processes/sched-processes.ts';
import type { Call, Context } from '../context.ts';
import { page } from '../page.ts';
import type { Reading } from '../reading.ts';
import {
  collectOneProcess,
  type OneProcess,
  type OneProcessQuery,
  processOf,
} from './one-process.ts';
import { readPlaces, readSelf } from './process-places.ts';
import type { ProcessRow } from './process-row.ts';
import {
  fieldsOfOne,
  fieldsOfRow,
  overview,
  overviewLines,
  provenanceOf,
  type Trace,
  type TracedFields,
  type TracedOverview,
} from './process-trace-fields.ts';
import { collectProcesses, type Processes, type ProcessQuery } from './processes.ts';
import { besideTrace } from './sched-trace.ts';
import { processTrace } from './sched-trace-processes.ts';

/** `trace_ms`: bpftrace traces the scheduler for so long, and all else is measured as long. */
type Traced = Readonly<{ trace_ms?: number | undefined }>;

type TracedRow = ProcessRow & Partial<TracedFields>;
type TracedProcesses = Omit<Processes, 'processes'> &
  Readonly<{ processes: readonly TracedRow[] }> &
  Partial<TracedOverview>;
type TracedProcess = Omit<OneProcess, 'processes'> &
  Readonly<{ processes: readonly [TracedRow] }> &
  Partial<TracedOverview>;

/** The list of processes, and where asked for what the scheduler did to each of them. */
export async function collectTracedProcesses(
  ctx: Context,
  { trace_ms, ...query }: ProcessQuery & Traced,
  call: Call,
): Promise<Reading<TracedProcesses>> {
  const window_ms = query.window_ms ?? trace_ms;
  const measure = () => collectProcesses(ctx, { ...query, window_ms }, call);
  const { measured, trace } = await beside(ctx, trace_ms, 0, measure, call);
  if (trace === null) return measured;
  const { places } = readPlaces(ctx.files);
  const rows = measured.data.processes.map((row) => ({
    ...row,
    ...fieldsOfRow(trace, row.pid, ctx.files, places),
  }));
  const shown = page(rows, { limit: query.limit, offset: 0 });
  const found = overview(trace, ctx.files);
  return {
    ...measured,
    ...provenanceOf(measured, trace),
    data: { ...measured.data, processes: shown.rows, shown: shown.rows.length, ...found },
    summary: [...measured.summary, ...overviewLines(found)],
    ...rest(measured, shown.next_offset, { ...query, trace_ms }),
  };
}

/** One process with its threads, and the same of it. PID_NOT_FOUND, PERMISSION_DENIED. */
export async function collectTracedProcess(
  ctx: Context,
  { trace_ms, ...query }: OneProcessQuery & Traced,
  call: Call,
): Promise<Reading<TracedProcess>> {
  const window_ms = query.window_ms ?? trace_ms;
  const measure = () => collectOneProcess(ctx, { ...query, window_ms }, call);
  const pid = processOf(ctx, query.pid);
  const { measured, trace } = await beside(ctx, trace_ms, pid, measure, call);
  if (trace === null) return measured;
  const { places } = readPlaces(ctx.files);
  const { fields, line } = fieldsOfOne(trace, pid, ctx.files, places);
  const [row] = measured.data.processes;
  const { next } = measured;
  return {
    ...measured,
    ...provenanceOf(measured, trace),
    data: {
      ...measured.data,
      processes: [{ ...row, ...fields }],
      ...overview(trace, ctx.files),
    },
    summary: [...measured.summary, ...(line === null ? [] : [line])],
    ...(next === undefined ? {} : { next: `${next}&trace_ms=${trace_ms}` }),
  };
}

const what = 'wakeup_latency, run_queue_latency, migrations, wakers, traced';

async function beside<M>(
  ctx: Context,
  trace_ms: number | undefined,
  pid: number,
  measure: () => Promise<M>,
  call: Call,
): Promise<Readonly<{ measured: M; trace: Trace | null }>> {
  const plan = {
    program: { script: 'sched-processes', pid },
    trace_ms: trace_ms ?? null,
    what,
    parse: parseSchedProcesses,
  } as const;
  const { measured, trace } = await besideTrace(ctx, plan, measure, call);
  if (trace === null || 'what' in trace) return { measured, trace };
  const self = readSelf(ctx.files);
  const own = new Set(self === null ? [trace.tracer_pid] : [trace.tracer_pid, self]);
  return { measured, trace: processTrace(trace, own) };
}

/** Rows that are longer leave fewer of them in an answer. */
function rest(
  { total, data }: Reading<Processes>,
  next_offset: number | null,
  query: ProcessQuery & Traced,
) {
  if (next_offset === null && total === undefined) return {};
  const fitting = next_offset ?? data.processes.length;
  const parameters = new URLSearchParams({ sort: query.sort, limit: String(query.limit) });
  if (query.comm !== undefined) parameters.set('comm', query.comm);
  if (query.sched_ext) parameters.set('sched_ext', 'true');
  parameters.set('trace_ms', String(query.trace_ms));
  parameters.set('offset', String(query.offset + fitting));
  return {
    truncated: true,
    total: total ?? query.offset + data.processes.length,
    next: `stats://aggregated/process?${parameters}`,
  };
}
