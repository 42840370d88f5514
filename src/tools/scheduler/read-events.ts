import * as z from 'zod/v4';
import { collectStream } from '../../collectors/event-stream.ts';
import { defineTool } from '../define-tool.ts';
import { eventTypeList } from '../event-type-list.ts';

export const readEvents = defineTool({
  name: 'read_events',
  title: 'Read tracked events',
  toolset: 'scheduler',
  effect: 'read',
  description:
    'The events that control_event_tracking brought since your last read, oldest first: counts by type, longest wait for a CPU, alerts, and exactly how many were dropped. after=next_seq continues from your own place; types=alert shows alerts alone. Attaches nothing.',
  input: z.strictObject({
    after: z.int().min(0).optional().describe('default: since the last read'),
    limit: z.int().min(1).max(50_000).optional().describe('events, default as many as fit'),
    types: eventTypeList.optional().describe('comma-separated types to show'),
    pid: z.int().min(0).max(4_194_304).optional().describe('only what names this task'),
    wait_ms: z.int().min(0).max(30_000).default(0).describe('wait so long for enough of them'),
  }),
  output: z.looseObject({
    events: z.array(z.looseObject({ seq: z.number(), type: z.string() })).readonly(),
    next_seq: z.number(),
    seen: z.number(),
    dropped: z.looseObject({ kernel_buffer: z.number(), ring_overflow: z.number() }),
    pending: z.number(),
  }),
  handle: (input, ctx, call) => collectStream(ctx, input, call),
});
