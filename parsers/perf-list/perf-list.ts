import { groupBySubsystem, type TraceEvents } from '../available-events/available-events.ts';
import { completeLines } from '../lines.ts';

export type PerfList = Readonly<{
  tracepoints: TraceEvents;
  /** Every name of each event: "context-switches OR cs" gives both. */
  hardware: readonly string[];
  software: readonly string[];
}>;

const listed = /^ +(\S+(?: OR \S+)*) +\[(Tracepoint|Hardware|Software) event\]$/;

/**
 * `perf list --no-desc hw sw tracepoint` (tools/perf/builtin-list.c):
 *
 *       context-switches OR cs                             [Software event]
 *       sched:sched_switch                                 [Tracepoint event]
 *
 * Hardware events are listed only where the kernel opens them, so a host without a PMU has none.
 * perf lists `ftrace:function` and `ftrace:print`, which tracefs leaves out of `available_events`.
 * On a terminal it adds a header. Lines of other kinds (tool events, PMU events) are skipped.
 */
export function parsePerfList(text: string): PerfList {
  const names: Record<'Tracepoint' | 'Hardware' | 'Software', string[]> = {
    Tracepoint: [],
    Hardware: [],
    Software: [],
  };
  for (const line of completeLines(text)) {
    const [, name, kind] = listed.exec(line) ?? [];
    if (name === undefined) continue;
    if (kind === 'Tracepoint' && name.includes(':')) names.Tracepoint.push(name);
    if (kind === 'Hardware' || kind === 'Software') names[kind].push(...name.split(' OR '));
  }
  return {
    tracepoints: groupBySubsystem(names.Tracepoint),
    hardware: names.Hardware.sort(),
    software: names.Software.sort(),
  };
}
