import * as z from 'zod/v4';
import { collectSchedulingStats } from '../../collectors/collection-stats.ts';
import { defineTool } from '../define-tool.ts';

export const getSchedulingStats = defineTool({
  name: 'get_scheduling_stats',
  title: 'Context switch statistics',
  toolset: 'collection',
  effect: 'read',
  queue: 'collection',
  description:
    'Context switches since enable_collection or reset_stats, in all and per CPU. context_switches is their true number; total_events counts each twice, for the process that went and the one that came, without our own. Needs enable_collection first.',
  input: z.strictObject({}),
  output: z.looseObject({
    total_events: z.int().nullable(),
    collection_duration_secs: z.number().nullable(),
    events_per_sec: z.number().nullable(),
    num_cpus_observed: z.int().nullable(),
    per_cpu: z
      .array(z.looseObject({ cpu: z.int(), switches: z.int() }))
      .readonly()
      .nullable(),
    unique_processes: z.int().nullable(),
    collection_enabled: z.boolean(),
    context_switches: z.int().nullable(),
    window_secs: z.number().nullable(),
  }),
  handle: (_input, ctx, call) => collectSchedulingStats(ctx, call),
});
