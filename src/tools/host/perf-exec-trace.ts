import * as z from 'zod/v4';
import { collectExecTrace } from '../../collectors/exec-trace.ts';
import { defineTool } from '../define-tool.ts';

export const perfExecTrace = defineTool({
  name: 'perf_exec_trace',
  title: 'Processes that begin and end',
  toolset: 'host',
  effect: 'capture',
  description:
    'Traces fork, exec and exit: what is started by whom, with arguments, exit codes and run times. Finds storms of short-lived processes, which top never shows, and exec calls that fail. Some us for each event. Those that stay: stats://aggregated/process.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(60).default(5).describe('s'),
    pid: z.int().min(1).optional().describe('this process and all below it'),
    name_pattern: z.string().min(1).max(64).optional().describe('part of a name or file name'),
    uid: z.int().min(0).optional().describe('user id'),
    include_failed: z.boolean().default(false).describe('failed exec calls alone'),
    max_args: z.int().min(1).max(20).default(10).describe('arguments shown'),
    include_timestamps: z.boolean().default(true).describe('with ms since the start'),
    include_fork_clone: z.boolean().default(true).describe('list forks'),
    include_exec: z.boolean().default(true).describe('list execs'),
    include_exit: z.boolean().default(false).describe('list exits'),
    mode: z.enum(['events', 'tree', 'both']).default('events').describe('form'),
  }),
  output: z.looseObject({
    method: z.string().nullable(),
    duration_seconds: z.number(),
    process_events: z
      .array(z.looseObject({ event_type: z.string(), pid: z.int(), comm: z.string() }))
      .readonly()
      .nullish(),
    tree: z
      .array(z.looseObject({ pid: z.int(), comm: z.string() }))
      .readonly()
      .nullish(),
    summary: z.looseObject({ total_execs: z.int().nullable() }).nullable(),
    truncated: z.boolean(),
    notes: z.array(z.string()).readonly(),
  }),
  handle: (input, ctx, call) => collectExecTrace(ctx, input, call),
});
