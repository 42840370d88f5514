import { completeLines } from '../lines.ts';
import { type Parsed, type ParseWarning, warn } from '../parsed.ts';

/** Trace events by subsystem; both sorted, so that two sources of the same host compare. */
export type TraceEvents = readonly Readonly<{ subsystem: string; events: readonly string[] }>[];

const eventName = /^([\w.-]+):([\w.-]+)$/;

/**
 * `available_events` of tracefs (kernel/trace/trace_events.c):
 *
 *     sched:sched_switch
 *     xfs:xfs_attr_list_sf
 *
 * Two records of the function tracer, `ftrace:function` and `ftrace:print`, have a folder under
 * `events/` and no line here. A line of another form becomes a warning.
 */
export function parseAvailableEvents(text: string): Parsed<TraceEvents> {
  const warnings: ParseWarning[] = [];
  const names = completeLines(text).filter((line, index) => {
    if (eventName.test(line)) return true;
    warnings.push(warn(index + 1, 'not "<subsystem>:<event>"', line));
    return false;
  });
  return { data: groupBySubsystem(names), warnings };
}

/** Groups names of the form `<subsystem>:<event>`. */
export function groupBySubsystem(names: readonly string[]): TraceEvents {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const colon = name.indexOf(':');
    const subsystem = name.slice(0, colon);
    const event = name.slice(colon + 1);
    const group = groups.get(subsystem);
    if (group) group.push(event);
    else groups.set(subsystem, [event]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([subsystem, events]) => ({ subsystem, events: events.sort() }));
}
