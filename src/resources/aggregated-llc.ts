import * as z from 'zod/v4';
import { collectAggregatedLlc } from '../collectors/aggregated-llc.ts';
import { defineResource, pageQuery } from './define-resource.ts';
import { traceQuery, windowQuery } from './window-query.ts';

export const aggregatedLlc = defineResource({
  uri: 'stats://aggregated/llc',
  name: 'aggregated_llc',
  title: 'Last-level cache statistics',
  description:
    'The CPUs of each last-level cache together over one window: utilisation with the least and ' +
    'the most busy CPU, mean frequency, context switches, migrations into its CPUs (from within ' +
    'it too), run-queue wait. ?trace_ms= adds latencies with percentiles, migrations across caches and ' +
    'softirq time, added up from its CPUs.',
  queue: 'window',
  query: z.strictObject({ ...pageQuery(64, 512), ...windowQuery, ...traceQuery }),
  read: (query, ctx, call) => collectAggregatedLlc(ctx, query, call),
});
