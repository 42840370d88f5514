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
import {
  measureLocality,
  type NodeLocality,
  type NodeMemory,
  readNodeMemory,
} from './node-memory.ts';
import { measureNodeProcesses, type NodeProcesses } from './node-processes.ts';
import { hiddenProcesses } from './process-unavailable.ts';
import { readTopology } from './topology.ts';

/** A NUMA node. All of its CPU fields are null or 0 where it has memory only. */
export type NodeRow = Readonly<{ node_id: number }> &
  CpuGroup &
  Readonly<{
    memory: NodeMemory | null;
    locality: NodeLocality | null;
    /** Cost of memory on each node, in the order of the nodes; 10 is local. */
    distances: readonly number[];
  }> &
  NodeProcesses;

export type AggregatedNode = Readonly<{
  total_nodes: number;
  switches_window_ms: number | null;
  /** There where `trace_ms` was asked for; null where it could not be traced. */
  trace_window_ms?: number | null;
  nodes: readonly NodeRow[];
}>;

type Params = Windows & Readonly<{ limit: number; offset: number }>;

/** What the CPUs of each NUMA node did together during the window, and how its memory is used. */
export async function collectAggregatedNode(
  ctx: Context,
  { limit, offset, ...windows }: Params,
  call: Call,
): Promise<Reading<AggregatedNode>> {
  const window_ms = windows.window_ms ?? windows.trace_ms;
  const nodeOf = new Map(readTopology(ctx.files).cpus.map(({ id, node_id }) => [id, node_id]));
  const [measured, locality, processes] = await Promise.all([
    measureCpus(ctx, windows, call),
    measureLocality(ctx, window_ms, call),
    measureNodeProcesses(ctx, window_ms, (cpu) => nodeOf.get(cpu), call),
  ]);
  const rows = measured.topology.nodes.map(
    ({ id, cpus, distances }): NodeRow => ({
      node_id: id,
      ...cpuGroup(measured, cpus),
      memory: readNodeMemory(ctx.files, id),
      locality: locality.get(id) ?? null,
      distances,
      ...(processes.get(id) ?? { processes: 0, top_processes: [] }),
    }),
  );
  const shown = page(rows, { limit, offset });
  const { source, unavailable = [], ...rest } = provenance(measured);
  return {
    data: {
      total_nodes: rows.length,
      ...ownWindows(measured),
      nodes: shown.rows,
    },
    ...rest,
    source: `${source}, /sys/devices/system/node, /proc/PID/stat`,
    unavailable: [...unavailable, ...missing(rows), ...hiddenProcesses(ctx, 0)],
    ...cut(
      shown,
      `Read stats://aggregated/node?limit=${limit}&offset=${shown.next_offset}${again(windows)}`,
    ),
    summary: [...rows.slice(0, 4).map(inWords), ...schedulingSummary(measured)],
  };
}

const nothingAllocated: Unavailable = {
  what: 'locality.local_pct',
  reason: 'Nothing was allocated on the node during the window.',
  fix: null,
};

function missing(rows: readonly NodeRow[]): Unavailable[] {
  const reason = 'The kernel does not show it below /sys/devices/system/node.';
  const empty = rows.filter((row) => row.nr_cpus === 0).map((row) => row.node_id);
  return [
    ...empty.map((id) => ({
      what: `CPU fields of node ${id}`,
      reason: 'The node has memory only.',
      fix: null,
    })),
    ...(rows.some((row) => row.memory === null) ? [{ what: 'memory', reason, fix: null }] : []),
    ...(rows.some((row) => row.locality?.local_pct === null) ? [nothingAllocated] : []),
    ...(rows.some((row) => row.locality === null) ? [{ what: 'locality', reason, fix: null }] : []),
  ];
}

function inWords({ node_id, cpus, util_pct, memory, locality }: NodeRow): string {
  const busy = cpus === '' ? 'memory only' : `CPUs ${cpus} ${util_pct} % busy`;
  const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  const used = memory
    ? `, ${gib(memory.used_bytes)} of ${gib(memory.total_bytes)} GiB not free`
    : '';
  const since_boot = locality?.local_pct_since_boot;
  const local = since_boot == null ? '' : `, ${since_boot} % of its allocations local since boot`;
  return `Node ${node_id}: ${busy}${used}${local}.`;
}
