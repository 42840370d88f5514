import * as z from 'zod/v4';
import { collectTopology } from '../../collectors/topology-report.ts';
import { defineTool } from '../define-tool.ts';

const rows = z.array(z.looseObject({})).readonly().optional();

export const getTopology = defineTool({
  name: 'get_topology',
  title: 'CPU topology',
  toolset: 'scheduler',
  effect: 'read',
  description:
    'Hardware topology, read afresh: CPUs, cores, last-level caches (LLC), NUMA nodes, SMT, offline CPUs. summary: counts; full: each CPU with its core, LLC, node, frequency limits (kHz) and capacity, with node distances. Use it before per-LLC or per-node statistics.',
  input: z.strictObject({
    detail_level: z.enum(['summary', 'full']).default('summary').describe('how much to tell'),
    include_offline: z.boolean().default(false).describe('also list and count offline CPUs'),
    limit: z.int().min(1).max(512).default(128).describe('rows of each list'),
    offset: z.int().min(0).max(100_000).default(0).describe('rows of each list to skip'),
  }),
  output: z.looseObject({
    summary: z.looseObject({
      total_cpus: z.int(),
      cores: z.int(),
      llcs: z.int(),
      numa_nodes: z.int(),
      nr_cpus: z.int(),
      nr_cores: z.int(),
      nr_llcs: z.int(),
      nr_nodes: z.int(),
      smt_enabled: z.boolean().nullable(),
    }),
    hint: z.string().optional(),
    cpus: rows,
    cores: rows,
    llcs: rows,
    nodes: rows,
  }),
  handle: (input, ctx) => Promise.resolve(collectTopology(ctx, input)),
});
