import { collectProfileResults } from '../collectors/profile-results.ts';
import { profilingStatus } from '../collectors/profiler.ts';
import { defineResource, noQuery } from './define-resource.ts';

export const perfProfilingStatus = defineResource({
  uri: 'profiling://perf/status',
  name: 'perf_profiling_status',
  title: 'Status of the stack profile',
  description:
    'Whether a profile runs (start_perf_profiling), with its configuration, samples so far, lost ones, time left; after its end how it ended. duration_ms is frozen then.',
  queue: 'profiler',
  query: noQuery,
  read: (_query, ctx) => profilingStatus(ctx),
});

export const perfProfilingResults = defineResource({
  uri: 'profiling://perf/results',
  name: 'perf_profiling_results',
  title: 'Results of the stack profile',
  description:
    'The 50 hottest functions of the last profile with callers and stacks: the same as get_perf_results, which also pages and draws the callers of one function.',
  queue: 'profiler',
  query: noQuery,
  read: (_query, ctx, call) =>
    collectProfileResults(ctx, { limit: 50, offset: 0, include_stacks: true, sort: 'self' }, call),
});
