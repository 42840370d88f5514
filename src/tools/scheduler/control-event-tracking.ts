import * as z from 'zod/v4';
import { controlTracking } from '../../collectors/event-control.ts';
import { defineTool } from '../define-tool.ts';
import { eventTypeList } from '../event-type-list.ts';

const orNull = <T>(value: T | undefined): T | null => value ?? null;

export const controlEventTracking = defineTool({
  name: 'control_event_tracking',
  title: 'Track scheduler events live',
  toolset: 'scheduler',
  effect: 'capture',
  queue: 'events',
  description:
    'Starts, ends or describes live tracking of kernel events, for read_events. Filters work in the kernel: narrow it on a busy host, an event costs microseconds. start returns once attached (2-5 s). status tells which types this host has, rates, losses, cost.',
  input: z.strictObject({
    action: z.enum(['start', 'stop', 'status']).describe('what to do'),
    types: eventTypeList
      .optional()
      .describe('comma-separated; default: scheduling, process life, alerts'),
    pid: z.int().min(1).max(4_194_304).optional().describe('one thread'),
    tgid: z.int().min(1).max(4_194_304).optional().describe('one process'),
    comm: z.string().min(1).max(15).optional().describe('names that begin with it'),
    cpu: z.int().min(0).max(65_535).optional().describe('one CPU'),
    min_latency_us: z
      .int()
      .min(1)
      .max(60_000_000)
      .optional()
      .describe('switches to tasks that waited so long'),
    sample: z.int().min(1).max(1_000_000).default(1).describe('one task in N, wholly'),
    kprobe: z.string().max(128).optional().describe('kernel function'),
    duration_s: z.int().min(1).max(3600).default(600).describe('ends by itself'),
  }),
  output: z.looseObject({ state: z.string(), seen: z.number(), last_seq: z.number() }),
  handle: ({ action, types, sample, duration_s, ...input }, ctx, call) =>
    controlTracking(
      ctx,
      {
        action,
        types: orNull(types),
        sample,
        duration_s,
        pid: orNull(input.pid),
        tgid: orNull(input.tgid),
        comm: orNull(input.comm),
        cpu: orNull(input.cpu),
        min_latency_us: orNull(input.min_latency_us),
        kprobe: orNull(input.kprobe),
      },
      call,
    ),
});
