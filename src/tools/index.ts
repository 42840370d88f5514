import type { Tool } from './define-tool.ts';
import { getPerfResults } from './scheduler/get-perf-results.ts';
import { getTopology } from './scheduler/get-topology.ts';
import { listEvents } from './scheduler/list-events.ts';
import { queryStats } from './scheduler/query-stats.ts';
import { readResourceTool } from './scheduler/read-resource.ts';
import { startPerfProfiling } from './scheduler/start-perf-profiling.ts';
import { stopPerfProfiling } from './scheduler/stop-perf-profiling.ts';

/** Every tool, in the order in which clients list them. */
export const tools: readonly Tool[] = [
  queryStats,
  readResourceTool,
  getTopology,
  listEvents,
  startPerfProfiling,
  stopPerfProfiling,
  getPerfResults,
];
