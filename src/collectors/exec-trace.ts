import type { ProcessEvent } from '../../parsers/exec-events/exec-events.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import { processTree, seenProcesses, type TreeNode } from '../analysis/process-tree.ts';
import type { Call, Context, Settings } from '../context.ts';
import { page } from '../page.ts';
import type { Reading, Unavailable } from '../reading.ts';
import { boundedTrace, fixOfBest, type SkippedMethod, traceParts } from './bounded-trace.ts';
import { filterEvents, withoutOwn } from './exec-filter.ts';
import {
  eventRow,
  type ProcessEventRow,
  processNames,
  type Relationship,
  relationships,
} from './exec-rows.ts';
import { execRungs, type ExecTrace as Traced } from './exec-rungs.ts';
import { type ExecSummary, execNotes, execSummary } from './exec-summary.ts';
import { ownPid, tracedProcess } from './traced-process.ts';

export type ExecTraceQuery = Readonly<{
  duration_seconds: number;
  pid?: number | undefined;
  name_pattern?: string | undefined;
  uid?: number | undefined;
  include_failed: boolean;
  max_args: number;
  include_timestamps: boolean;
  include_fork_clone: boolean;
  include_exec: boolean;
  include_exit: boolean;
  mode: 'events' | 'tree' | 'both';
}>;

export type ExecTrace = Readonly<{
  method: string | null;
  skipped_methods: readonly SkippedMethod[];
  duration_seconds: number;
  filters?: Readonly<Record<string, string | number | boolean>>;
  process_events?: readonly ProcessEventRow[] | null;
  relationships?: readonly Relationship[] | null;
  tree?: readonly TreeNode[] | null;
  summary: ExecSummary | null;
  truncated: boolean;
  notes: readonly string[];
}>;

const max_events = 120;
const event_bytes = 18_000;
const max_relationships = 20;
const tree_limits = { nodes: 120, depth: 16, children: 20 };

/**
 * Which processes began, ran another program, failed to, and ended within the window; without those
 * of this server.
 *
 * @throws TracewrightError PID_NOT_FOUND, PROFILER_BUSY
 */
export async function collectExecTrace(
  ctx: Context,
  query: ExecTraceQuery,
  call: Call,
): Promise<Reading<ExecTrace>> {
  const process = query.pid === undefined ? null : tracedProcess(ctx, query.pid);
  const duration_ms = query.duration_seconds * 1000;
  const rungs = execRungs(ctx, { duration_ms, max_args: query.max_args });
  const result = await boundedTrace(ctx, { kind: 'exec', duration_ms, rungs }, call);
  const { method, unavailable, ...parts } = traceParts(result, 'process events');
  const traced = result.traced?.value ?? null;
  const all = traced && withoutOwn(traced.events, ownPid(ctx));
  const events = all && chosenEvents(all, query, process?.pid ?? null);
  const window_ms = parts.window_ms ?? duration_ms;
  const listed =
    traced && events && listing(ctx.settings, traced, events, query, processNames(ctx, all));
  const summary = traced && events && execSummary(traced, events, window_ms);
  const data: ExecTrace = {
    method,
    skipped_methods: result.skipped,
    duration_seconds: query.duration_seconds,
    ...filtersOf(query),
    ...(listed?.data ?? { process_events: null }),
    summary: summary && { ...summary, ...(listed?.depth ?? {}) },
    truncated: listed?.truncated ?? false,
    notes: summary ? execNotes(summary) : [],
  };
  return {
    data,
    ...parts,
    summary: inWords(data, window_ms),
    ...(listed?.truncated
      ? {
          truncated: true,
          total: listed.total,
          next: 'perf_exec_trace with name_pattern, pid or uid',
        }
      : {}),
    unavailable: [...unavailable, ...(traced ? gaps(traced, method, result.skipped) : [])],
  };
}

function chosenEvents(
  events: readonly ProcessEvent[],
  query: ExecTraceQuery,
  pid: number | null,
): readonly ProcessEvent[] {
  return filterEvents(events, {
    pid,
    name: query.name_pattern ?? null,
    uid: query.uid ?? null,
    failed_only: query.include_failed,
  });
}

function filtersOf(query: ExecTraceQuery): Pick<ExecTrace, 'filters'> {
  const { pid, name_pattern, uid, include_failed } = query;
  const filters = {
    ...(pid === undefined ? {} : { pid }),
    ...(name_pattern === undefined ? {} : { name_pattern: untrusted(name_pattern, 64) }),
    ...(uid === undefined ? {} : { uid }),
    ...(include_failed ? { failed_only: true } : {}),
  };
  return Object.keys(filters).length === 0 ? {} : { filters };
}

/** What of the events is shown, within the room of an answer. */
function listing(
  settings: Settings,
  traced: Traced,
  events: readonly ProcessEvent[],
  query: ExecTraceQuery,
  nameOf: (pid: number) => string,
) {
  const seen = seenProcesses(events);
  const wanted = events.filter(({ kind }) => {
    if (kind === 'fork') return query.include_fork_clone;
    return kind === 'exit' ? query.include_exit : query.include_exec;
  });
  const shape = {
    from_ns: traced.from_ns,
    timestamps: query.include_timestamps,
    max_args: query.max_args,
    settings,
  };
  const rows = wanted.slice(0, max_events).map((event) => eventRow(event, nameOf, shape));
  const shown = page(rows, { limit: max_events, offset: 0 }, event_bytes).rows;
  const family = processTree(seen, tree_limits, nameOf);
  const list = query.mode !== 'tree';
  const tree = query.mode !== 'events';
  return {
    data: {
      ...(list
        ? {
            process_events: shown,
            relationships: relationships(wanted, nameOf).slice(0, max_relationships),
          }
        : {}),
      ...(tree ? { tree: family.tree } : {}),
    },
    depth: traced.sees.forks && events.length > 0 ? { max_tree_depth: family.max_depth } : {},
    truncated: (list && shown.length < wanted.length) || (tree && family.left_out > 0),
    total: list ? wanted.length : seen.size,
  };
}

function gaps(
  { sees }: Traced,
  method: string | null,
  skipped: readonly SkippedMethod[],
): readonly Unavailable[] {
  const blind = [
    ...(sees.forks ? [] : ['total_forks, relationships']),
    ...(sees.execs ? [] : ['total_execs, by_command']),
    ...(sees.failures ? [] : ['failed_execs']),
    ...(sees.exits ? [] : ['total_exits, exit_code']),
  ];
  if (blind.length === 0) return [];
  const reason = `${method ?? 'This way of tracing'} does not see them.`;
  return [{ what: blind.join(', '), reason, fix: fixOfBest(skipped) }];
}

function inWords({ summary, method }: ExecTrace, window_ms: number): string[] {
  if (summary === null) return ['Process events could not be traced: see unavailable.'];
  const { total_forks, total_execs, total_exits, failed_execs, short_lived } = summary;
  const counted = Object.entries({
    'processes began': total_forks,
    'exec calls': total_execs,
    'of them failed': failed_execs,
    'processes ended': total_exits,
    'lived below 1 s': short_lived,
  })
    .filter(([, count]) => count !== null)
    .map(([what, count]) => `${count} ${what}`);
  const commands = Object.entries(summary.by_command ?? {}).slice(0, 4);
  const parents = Object.entries(summary.by_parent ?? {}).slice(0, 3);
  const named = (each: readonly [string, number][]): string =>
    each.map(([name, count]) => `${name} ${count}`).join(', ');
  return [
    `In ${window_ms} ms (${method}): ${counted.join(', ') || 'nothing seen'}.`,
    ...(summary.tasks_begun === null ? [] : [`${summary.tasks_begun} tasks began in all.`]),
    ...(commands.length > 0 ? [`Programs: ${named(commands)}.`] : []),
    ...(parents.length > 0 ? [`Begun by: ${named(parents)}.`] : []),
  ];
}
