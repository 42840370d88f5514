import * as z from 'zod/v4';
import { collectAggregatedNode } from '../collectors/aggregated-node.ts';
import { defineResource, pageQuery } from './define-resource.ts';
import { traceQuery, windowQuery } from './window-query.ts';

export const aggregatedNode = defineResource({
  uri: 'stats://aggregated/node',
  name: 'aggregated_node',
  title: 'NUMA node statistics',
  description:
    'Each NUMA node over one window: utilisation, context switches and migrations of its CPUs, ' +
    'memory, distances, share of page allocations on it that its own CPUs made (locality), ' +
    'processes by the CPU that they ran on last. Reads the stat file of every process twice. ' +
    '?trace_ms= adds latencies with percentiles, migrations across nodes and softirq time.',
  queue: 'window',
  query: z.strictObject({ ...pageQuery(64, 512), ...windowQuery, ...traceQuery }),
  read: (query, ctx, call) => collectAggregatedNode(ctx, query, call),
});
