import { perfList } from '../../allowlist/perf-list.ts';
import { hardwareEvents, softwareEvents } from '../../allowlist/perf-record.ts';
import {
  parseAvailableEvents,
  type TraceEvents,
} from '../../parsers/available-events/available-events.ts';
import { type PerfList, parsePerfList } from '../../parsers/perf-list/perf-list.ts';
import type { Call, Context } from '../context.ts';
import { TracewrightError, toTracewrightError } from '../errors.ts';
import type { Unavailable } from '../reading.ts';
import { keptListing } from './kept-listing.ts';
import { runsPrivileged } from './privileges.ts';
import { locateTracefs, mount_tracefs } from './tracefs.ts';

/** The trace events of this kernel, and the counters that profiling takes beside them. */
export type EventListing = Readonly<{
  /** Null where they cannot be listed. */
  tracepoints: TraceEvents | null;
  hardware: readonly string[];
  software: readonly string[];
  source: string;
  warnings: readonly string[];
  unavailable: readonly Unavailable[];
}>;

/**
 * tracefs names its events itself; where it is not mounted, perf as root mounts it for its own eyes.
 * Never throws for want of rights or programs: then the events are null with a reason.
 */
export async function eventListing(ctx: Context, call: Call): Promise<EventListing> {
  const kept = await keptEvents(ctx, call);
  return kept ?? (await listEvents(ctx, call));
}

const keptEvents = keptListing(async (ctx, call) => {
  const listing = await listEvents(ctx, call);
  return listing.tracepoints === null ? null : listing;
});

async function listEvents(ctx: Context, call: Call): Promise<EventListing> {
  const { path, reason, fix } = locateTracefs(ctx);
  const file = `${path ?? ''}/available_events`;
  const text = path === null ? null : ctx.files.text(file);
  const wantsTracepoints = text === null && runsPrivileged(ctx);
  const perf = await askPerf(ctx, call, wantsTracepoints);
  const counters = {
    hardware: hardwareEvents.filter((name) => perf.list.hardware.includes(name)),
    software: softwareEvents.filter((name) => perf.list.software.includes(name)),
  };
  const noPerf = perf.unavailable ? [perf.unavailable] : [];
  if (text !== null) {
    const { data, warnings } = parseAvailableEvents(text);
    const odd = warnings.length === 0 ? [] : [`${warnings.length} lines of ${file} are not events`];
    return { tracepoints: data, ...counters, source: file, warnings: odd, unavailable: noPerf };
  }
  if (wantsTracepoints && perf.list.tracepoints.length > 0) {
    const tracepoints = perf.list.tracepoints;
    return { tracepoints, ...counters, source: 'perf list', warnings: [], unavailable: noPerf };
  }
  const unavailable = {
    what: 'events://perf',
    reason: reason ?? `${file} is not readable.`,
    fix: ctx.uid === 0 ? (fix ?? mount_tracefs) : (fix ?? 'sudo tracewright mcp'),
  };
  const source = perf.unavailable ? 'nothing' : 'perf list';
  return {
    tracepoints: null,
    ...counters,
    source,
    warnings: [],
    unavailable: [unavailable, ...noPerf],
  };
}

const nothing: PerfList = { tracepoints: [], hardware: [], software: [] };

async function askPerf(
  ctx: Context,
  call: Call,
  tracepoints: boolean,
): Promise<Readonly<{ list: PerfList; unavailable: Unavailable | null }>> {
  const kinds = tracepoints ? (['hw', 'sw', 'tracepoint'] as const) : (['hw', 'sw'] as const);
  try {
    const { stdout, stopped_by, exit_code } = await ctx.run(perfList(kinds), {
      signal: call.signal,
    });
    if (stopped_by === 'exit' && exit_code === 0) {
      return { list: parsePerfList(stdout), unavailable: null };
    }
    const reason = `perf list ended by ${stopped_by} with exit code ${exit_code}.`;
    return { list: nothing, unavailable: { what: 'hw: and sw: events', reason, fix: null } };
  } catch (thrown) {
    const { code, message, suggestion } = toTracewrightError(thrown);
    if (code === 'CANCELED') throw thrown;
    const unavailable = { what: 'hw: and sw: events', reason: message, fix: suggestion };
    return { list: nothing, unavailable };
  }
}

/** INVALID_PARAMS that names what there is. */
export function unknownSubsystem(what: string, events: TraceEvents): TracewrightError {
  const names = events.map(({ subsystem }) => subsystem).join(', ');
  return new TracewrightError('INVALID_PARAMS', what, `Choose from: ${names}.`);
}
