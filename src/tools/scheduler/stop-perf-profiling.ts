import * as z from 'zod/v4';
import { stopProfiling } from '../../collectors/profiler.ts';
import { defineTool } from '../define-tool.ts';
import { profileStatus } from './profile-schemas.ts';

export const stopPerfProfiling = defineTool({
  name: 'stop_perf_profiling',
  title: 'Stop the stack profile',
  toolset: 'scheduler',
  effect: 'capture',
  queue: 'profiler',
  description:
    'Ends the profile that start_perf_profiling began and reads its recording, so that get_perf_results can tell of it. Not needed after duration_secs.',
  input: z.strictObject({}),
  output: profileStatus,
  handle: (_input, ctx, call) => stopProfiling(ctx, call),
});
