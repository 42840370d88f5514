import type { TraceEvents } from '../../parsers/available-events/available-events.ts';
import { untrusted } from '../../parsers/untrusted.ts';
import type { Call, Context } from '../context.ts';
import { cut, page, row_budget_bytes } from '../page.ts';
import type { Reading } from '../reading.ts';
import { type EventListing, eventListing, unknownSubsystem } from './trace-events.ts';

type Query = Readonly<{
  limit: number;
  offset: number;
  subsystem?: string | undefined;
  match?: string | undefined;
}>;

type SubsystemRow = Readonly<{ subsystem: string; count: number; events?: readonly string[] }>;

export type PerfEvents = Readonly<{
  /** `count` is of the whole subsystem, or of what matches in it; `events` may be a page of them. */
  subsystems: readonly SubsystemRow[];
  total_subsystems: number | null;
  total_events: number | null;
  /** Events that fit the query; null where there was none. */
  matching_events: number | null;
  /** What start_perf_profiling takes beside `tracepoint:<subsystem>:<event>`. */
  other: Readonly<{ hw: readonly string[]; sw: readonly string[] }>;
}>;

/**
 * The events that perf can count, by subsystem. Thousands of names do not fit into an answer, so
 * without a query each subsystem has its count alone, unless all names fit.
 */
export async function collectPerfEvents(
  ctx: Context,
  query: Query,
  call: Call,
): Promise<Reading<PerfEvents>> {
  const listing = await eventListing(ctx, call);
  const { tracepoints, source, warnings, unavailable } = listing;
  const other = counters(listing);
  const measured = { source, warnings, unavailable };
  if (tracepoints === null) {
    const data = { ...nothingKnown, other };
    return { data, summary: ['The trace events of this kernel cannot be listed.'], ...measured };
  }
  const total_subsystems = tracepoints.length;
  const total_events = countOf(tracepoints);
  const totals = { total_subsystems, total_events, other };
  const total = `${total_events} trace events in ${total_subsystems} subsystems.`;

  if (query.subsystem === undefined && query.match === undefined) {
    const shown = page(overview(tracepoints), query);
    return {
      data: { subsystems: shown.rows, ...totals, matching_events: null },
      summary: [total, 'Names: events://perf?subsystem=sched or events://perf?match=wakeup.'],
      ...measured,
      ...cut(shown, `events://perf?offset=${shown.next_offset}`),
    };
  }

  const fitting = select(tracepoints, query);
  const shown = page(fitting.flatMap(names), query);
  const rest = new URLSearchParams({
    ...(query.subsystem === undefined ? {} : { subsystem: query.subsystem }),
    ...(query.match === undefined ? {} : { match: query.match }),
    offset: String(shown.next_offset),
  });
  const matching_events = countOf(fitting);
  return {
    data: { subsystems: regroup(shown.rows, fitting), ...totals, matching_events },
    summary: [`${matching_events} of ${total}`],
    ...measured,
    ...cut(shown, `events://perf?${rest}`),
  };
}

const nothingKnown = {
  subsystems: [],
  total_subsystems: null,
  total_events: null,
  matching_events: null,
};

function counters({ hardware, software }: EventListing): PerfEvents['other'] {
  return { hw: hardware.map((name) => `hw:${name}`), sw: software.map((name) => `sw:${name}`) };
}

const countOf = (events: TraceEvents): number =>
  events.reduce((sum, group) => sum + group.events.length, 0);

function overview(events: TraceEvents): readonly SubsystemRow[] {
  const complete = events.map((group) => ({ ...group, count: group.events.length }));
  if (JSON.stringify(complete).length < row_budget_bytes) return complete;
  return complete.map(({ subsystem, count }) => ({ subsystem, count }));
}

function select(events: TraceEvents, { subsystem, match }: Query): TraceEvents {
  const inSubsystem =
    subsystem === undefined ? events : events.filter((group) => group.subsystem === subsystem);
  if (inSubsystem.length === 0 && subsystem !== undefined) {
    throw unknownSubsystem(`There is no subsystem "${untrusted(subsystem, 80)}".`, events);
  }
  const wanted = match?.toLowerCase();
  if (wanted === undefined) return inSubsystem;
  return inSubsystem.flatMap((group) => {
    const fitting = group.events.filter((event) =>
      `${group.subsystem}:${event}`.toLowerCase().includes(wanted),
    );
    return fitting.length === 0 ? [] : [{ subsystem: group.subsystem, events: fitting }];
  });
}

type Name = Readonly<{ subsystem: string; event: string }>;

const names = ({ subsystem, events }: TraceEvents[number]): Name[] =>
  events.map((event) => ({ subsystem, event }));

function regroup(shown: readonly Name[], all: TraceEvents): readonly SubsystemRow[] {
  return all.flatMap(({ subsystem, events }) => {
    const here = shown.filter((name) => name.subsystem === subsystem);
    if (here.length === 0) return [];
    return [{ subsystem, count: events.length, events: here.map(({ event }) => event) }];
  });
}
