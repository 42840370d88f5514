import * as z from 'zod/v4';
import { collectAggregatedCpu } from '../collectors/aggregated-cpu.ts';
import { defineResource, pageQuery } from './define-resource.ts';
import { traceQuery, windowQuery } from './window-query.ts';

export const aggregatedCpu = defineResource({
  uri: 'stats://aggregated/cpu',
  name: 'aggregated_cpu',
  title: 'CPU statistics',
  description:
    'Each online CPU over one window: utilisation and its parts, frequency, context switches and ' +
    'migrations into it (perf), run-queue wait, with the spread and the outliers over all CPUs. ' +
    'In daemon mode the window is the time since the last read and nothing waits but perf (200 ms). ' +
    '?trace_ms=1000 traces the scheduler meanwhile (root, bpftrace): wakeup and run-queue latency with ' +
    'percentiles, migrations by origin and distance, time in softirqs.',
  queue: 'window',
  query: z.strictObject({
    ...pageQuery(64, 512),
    sort: z.enum(['cpu', 'util', 'switches', 'migrations']).default('cpu').describe('row order'),
    ...windowQuery,
    ...traceQuery,
  }),
  read: (query, ctx, call) => collectAggregatedCpu(ctx, query, call),
});
