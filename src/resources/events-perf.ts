import * as z from 'zod/v4';
import { collectPerfEvents } from '../collectors/perf-events.ts';
import { defineResource, pageQuery } from './define-resource.ts';

export const eventsPerf = defineResource({
  uri: 'events://perf',
  name: 'events_perf',
  title: 'Trace events by subsystem',
  description:
    'Tracepoints of this kernel by subsystem, and the hw: and sw: events that profiling takes. Without parameters every subsystem with its count; names with ?subsystem=sched or ?match=wakeup. From tracefs, or from perf where tracefs is not mounted.',
  query: z.strictObject({
    ...pageQuery(500, 2000),
    subsystem: z.string().min(1).max(100).optional().describe('one subsystem, such as sched'),
    match: z.string().min(1).max(100).optional().describe('text in "subsystem:event", any case'),
  }),
  read: (query, ctx, call) => collectPerfEvents(ctx, query, call),
});
