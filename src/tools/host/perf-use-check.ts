import * as z from 'zod/v4';
import { collectUseCheck } from '../../collectors/use-check.ts';
import { defineTool } from '../define-tool.ts';
import { figure, rows } from './schema-parts.ts';

const status = z.enum(['ok', 'warning', 'critical']).nullable();
const metric = z.looseObject({ value: figure, status, detail: z.string() });
const errors = z.looseObject({ count: figure, status, detail: z.string() });
const resource = z.looseObject({ utilization: metric, saturation: metric, errors });

export const perfUseCheck = defineTool({
  name: 'perf_use_check',
  title: 'USE check',
  toolset: 'host',
  effect: 'read',
  description:
    'Where is the bottleneck? Utilization, saturation and errors of CPU, memory, disk and network over a window, judged by thresholds; suspicions worst first. Unknown is null, not ok. Who causes it: perf_triage.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(60).default(1).describe('window, s'),
  }),
  output: z.looseObject({
    summary: z.looseObject({
      status: z.enum(['healthy', 'warning', 'critical']).nullable(),
      top_suspicions: z.array(z.string()).readonly(),
    }),
    resources: z.looseObject({
      cpu: resource,
      memory: resource,
      disk: resource,
      network: resource,
    }),
    suspicions: rows,
  }),
  handle: (input, ctx, call) => collectUseCheck(ctx, input, call),
});
