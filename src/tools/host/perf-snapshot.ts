import * as z from 'zod/v4';
import { collectSnapshot } from '../../collectors/snapshot.ts';
import { collectSnapshotSeries } from '../../collectors/snapshot-series.ts';
import { defineTool } from '../define-tool.ts';
import { figure, rows } from './schema-parts.ts';

export const perfSnapshot = defineTool({
  name: 'perf_snapshot',
  title: 'Snapshot of the host',
  toolset: 'host',
  effect: 'read',
  description:
    'CPU, memory, disks, network and pressure (PSI) over one second, never since boot. With interval_sec: count samples, each over its interval, with min, mean and max, for trends. Judged: perf_use_check.',
  input: z.strictObject({
    include_per_cpu: z.boolean().default(false).describe('each CPU'),
    include_per_device: z.boolean().default(true).describe('each disk'),
    include_psi: z.boolean().default(true).describe('pressure'),
    interval_sec: z.int().min(1).max(60).optional().describe('s per sample'),
    count: z.int().min(2).max(60).default(5).describe('samples'),
  }),
  output: z.looseObject({
    cpu: z
      .looseObject({
        load_avg: z.array(z.number()).nullable(),
        run_queue: figure,
        utilization: z.looseObject({ user: figure, system: figure, idle: figure, iowait: figure }),
        context_switches: figure,
        interrupts: figure,
      })
      .optional(),
    memory: z
      .looseObject({
        total_bytes: figure,
        available_bytes: figure,
        used_bytes: figure,
        buffers_bytes: figure,
        cached_bytes: figure,
        swap_used_bytes: figure,
        swap_total_bytes: figure,
        page_faults: figure,
        major_faults: figure,
      })
      .optional(),
    io: z.looseObject({ devices: rows.nullable() }).optional(),
    network: z.looseObject({ interfaces: rows.nullable(), tcp: z.looseObject({}) }).optional(),
    pressure: z.looseObject({}).nullable().optional(),
    mode: z.literal('interval').optional(),
    interval_sec: z.number().optional(),
    samples: rows.optional(),
    summary: z.looseObject({}).optional(),
  }),
  handle({ interval_sec, count, ...options }, ctx, call) {
    return interval_sec === undefined
      ? collectSnapshot(ctx, options, call)
      : collectSnapshotSeries(ctx, { ...options, interval_sec, count }, call);
  },
});
