import * as z from 'zod/v4';
import { collectIoLayers } from '../../collectors/io-layers.ts';
import { defineTool } from '../define-tool.ts';

export const perfIoLayers = defineTool({
  name: 'perf_io_layers',
  title: 'File I/O against disk I/O',
  toolset: 'host',
  effect: 'capture',
  description:
    'What programs read and wrote of files beside what the disks did in the same window: does the page cache help, are writes put together? Use it when disks are busy and the question is why. Costs 1 us per read and write. For the times: perf_vfs_latency, perf_bio_latency.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(30).default(5).describe('s'),
    include_details: z.boolean().default(true).describe('with the counts behind the ratios'),
  }),
  output: z.looseObject({
    method: z.string(),
    duration_seconds: z.number(),
    vfs: z.looseObject({ total_ops: z.int() }).nullable(),
    block: z.looseObject({ total_ios: z.int() }),
    ratios: z.looseObject({ read_hit_rate: z.number().nullable() }).nullable(),
    analysis: z.looseObject({ cache_effectiveness: z.string() }).nullable(),
    notes: z.array(z.string()),
  }),
  handle: (input, ctx, call) => collectIoLayers(ctx, input, call),
});
