import * as z from 'zod/v4';
import { collectCgroupSummary } from '../../collectors/cgroup-summary.ts';
import { defineTool } from '../define-tool.ts';
import { figure, rows } from './schema-parts.ts';

const pressure = z.looseObject({}).nullable();

export const perfCgroupSummary = defineTool({
  name: 'perf_cgroup_summary',
  title: 'Cgroup of a container or service',
  toolset: 'host',
  effect: 'read',
  description:
    'One cgroup (container, service; v1 or v2): CPU use and throttling, memory against the tightest limit around it, OOM kills, I/O, tasks; totals and window. Without pid and path: the root and the busiest groups.',
  input: z.strictObject({
    pid: z.int().min(1).max(4_194_304).optional().describe('process in it'),
    cgroup_path: z.string().min(1).max(4096).optional().describe('/system.slice/x.service'),
    duration_seconds: z.int().min(1).max(60).default(1).describe('window, s'),
  }),
  output: z.looseObject({
    cgroup_path: z.string(),
    cpu: z.looseObject({
      usage_usec: figure,
      user_usec: figure,
      system_usec: figure,
      nr_throttled: figure,
      throttled_usec: figure,
      limit_cores: figure,
      pressure,
    }),
    memory: z.looseObject({
      current_bytes: figure,
      max_bytes: figure,
      usage_percent: figure,
      anon_bytes: figure,
      file_bytes: figure,
      oom_kills: figure,
      pressure,
    }),
    io: z.looseObject({ devices: rows.nullable(), pressure }),
    pids: z.looseObject({ current: figure, max: figure }),
    issues: z.array(z.string()).readonly(),
    busiest: rows.optional(),
  }),
  handle: (input, ctx, call) => collectCgroupSummary(ctx, input, call),
});
