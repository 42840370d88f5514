import * as z from 'zod/v4';
import { recordTrace } from '../../recordings/record-trace.ts';
import { defineTool } from '../define-tool.ts';

export const recordTraceTool = defineTool({
  name: 'record_trace',
  title: 'Record a Perfetto trace',
  toolset: 'scheduler',
  effect: 'capture',
  description:
    'Records every switch, wakeup, softirq and new process into a file for people to open in Perfetto. Kept 7 days. An event costs microseconds. To read events yourself: control_event_tracking.',
  input: z.strictObject({
    duration_seconds: z.int().min(1).max(60).default(5).describe('s'),
    pid: z.int().min(1).optional().describe('wakeups, stacks of this process only'),
    sample_hz: z.int().min(1).max(999).optional().describe('with call stacks, per CPU'),
  }),
  output: z.looseObject({ recording_id: z.string(), path: z.string(), switches: z.number() }),
  handle: ({ duration_seconds, pid, sample_hz }, ctx, call) =>
    recordTrace(ctx, { duration_seconds, pid: pid ?? null, sample_hz: sample_hz ?? null }, call),
});
