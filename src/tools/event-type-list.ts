import * as z from 'zod/v4';
import { type EventType, eventTypes } from '../../parsers/stream/stream.ts';

const known: ReadonlySet<string> = new Set(eventTypes);
const isEventType = (name: string): name is EventType => known.has(name);

/** Types of events as text: "sched_switch,exit"; tracepoints also as they are listed, "sched:sched_switch". */
export const eventTypeList = z
  .string()
  .max(500)
  .transform((text, { addIssue }) => {
    const names = text.split(',').map((each) => each.trim().replace(/^(?:tracepoint:)?sched:/, ''));
    const unknown = names.find((name) => !isEventType(name));
    if (unknown !== undefined) {
      addIssue(`there is no type "${unknown.slice(0, 40)}"; there are ${eventTypes.join(', ')}`);
    }
    return [...new Set(names.filter(isEventType))];
  });
