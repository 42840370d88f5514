import * as z from 'zod/v4';
import { collectTriage } from '../../collectors/triage.ts';
import { defineTool } from '../define-tool.ts';

export const perfTriage = defineTool({
  name: 'perf_triage',
  title: 'What is wrong with this host',
  toolset: 'host',
  effect: 'capture',
  description:
    'The first call when something is slow: measures CPU, memory, disks, network and processes side by side, and ranks causes with evidence, confidence and the next call. quick: 5 s, /proc alone; standard: 10 s, with tracers; deep: 30 s, with a profile. Says "healthy" when it is. Numbers alone: perf_snapshot.',
  input: z.strictObject({
    mode: z.enum(['quick', 'standard', 'deep']).default('standard').describe('how thorough'),
    focus: z.enum(['auto', 'cpu', 'memory', 'io', 'network']).default('auto').describe('one area'),
    pid: z.int().min(1).optional().describe('one process'),
    process_name: z.string().min(1).max(64).optional().describe('likewise, by name'),
    include_exec_trace: z.boolean().default(false).describe('also who starts processes'),
  }),
  output: z.looseObject({
    target: z.looseObject({ scope: z.string() }),
    mode: z.string(),
    healthy: z.boolean().nullable(),
    root_causes: z.array(z.looseObject({ id: z.string(), confidence: z.number() })).readonly(),
    all_findings: z.array(z.looseObject({ id: z.string(), severity: z.string() })).readonly(),
    metrics_summary: z.looseObject({}),
    executive_summary: z.string(),
    recommended_actions: z.array(z.string()).readonly(),
  }),
  handle: (input, ctx, call) => collectTriage(ctx, input, call),
});
