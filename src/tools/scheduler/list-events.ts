import * as z from 'zod/v4';
import { collectEventNames } from '../../collectors/event-names.ts';
import { defineTool } from '../define-tool.ts';

export const listEvents = defineTool({
  name: 'list_events',
  title: 'List trace events',
  toolset: 'scheduler',
  effect: 'read',
  description:
    'Names of the trace events of one subsystem (sched, irq, block, net, …), of kernel functions that can be probed, or both. Give them to start_perf_profiling as tracepoint:SUBSYSTEM:EVENT. Attaches nothing.',
  input: z.strictObject({
    subsystem: z
      .string()
      .max(100)
      .optional()
      .describe('subsystem such as sched; required unless event_type is kprobe'),
    event_type: z
      .enum(['perf', 'kprobe', 'all'])
      .default('perf')
      .describe('trace events, kernel functions, or both'),
    filter: z
      .string()
      .max(128)
      .optional()
      .describe(
        'regular expression searched in the name, any case; no counts in braces, look-arounds or back references',
      ),
    limit: z.int().min(1).max(1000).default(100).describe('names to give'),
    offset: z.int().min(0).max(10_000_000).default(0).describe('names to skip'),
  }),
  output: z.looseObject({
    event_type: z.string(),
    subsystem: z.string().nullable(),
    total_count: z.number().nullable(),
    returned_count: z.number(),
    offset: z.number(),
    limit: z.number(),
    has_more: z.boolean(),
    events: z.array(z.string()).readonly(),
    filter_applied: z.string().nullable(),
  }),
  handle: (input, ctx, call) => collectEventNames(ctx, input, call),
});
