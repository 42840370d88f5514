import { disableCollectionTool } from './collection/disable-collection.ts';
import { enableCollectionTool } from './collection/enable-collection.ts';
import { getSchedulingStats } from './collection/get-scheduling-stats.ts';
import { getTopProcesses } from './collection/get-top-processes.ts';
import { resetStatsTool } from './collection/reset-stats.ts';
import type { Tool } from './define-tool.ts';
import { perfBioLatency } from './host/perf-bio-latency.ts';
import { perfCgroupSummary } from './host/perf-cgroup-summary.ts';
import { perfCpuProfile } from './host/perf-cpu-profile.ts';
import { perfDnsLatency } from './host/perf-dns-latency.ts';
import { perfExecTrace } from './host/perf-exec-trace.ts';
import { perfFdTrace } from './host/perf-fd-trace.ts';
import { perfFileTrace } from './host/perf-file-trace.ts';
import { perfInfo } from './host/perf-info.ts';
import { perfIoLatency } from './host/perf-io-latency.ts';
import { perfIoLayers } from './host/perf-io-layers.ts';
import { perfNetHealth } from './host/perf-net-health.ts';
import { perfOffcpuProfile } from './host/perf-offcpu-profile.ts';
import { perfRunqLatency } from './host/perf-runq-latency.ts';
import { perfSnapshot } from './host/perf-snapshot.ts';
import { perfSyscallCount } from './host/perf-syscall-count.ts';
import { perfTcpTrace } from './host/perf-tcp-trace.ts';
import { perfThreadProfile } from './host/perf-thread-profile.ts';
import { perfTriage } from './host/perf-triage.ts';
import { perfUseCheck } from './host/perf-use-check.ts';
import { perfVfsLatency } from './host/perf-vfs-latency.ts';
import { profileView } from './host/profile-view.ts';
import { analyzeProfileTool } from './python/analyze-profile.ts';
import { compareProfilesTool } from './python/compare-profiles.ts';
import { getBottlenecks } from './python/get-bottlenecks.ts';
import { getCpuHotspots } from './python/get-cpu-hotspots.ts';
import { getFileDetails } from './python/get-file-details.ts';
import { getFunctionSummary } from './python/get-function-summary.ts';
import { getGpuHotspots } from './python/get-gpu-hotspots.ts';
import { getMemoryHotspots } from './python/get-memory-hotspots.ts';
import { getMemoryLeaks } from './python/get-memory-leaks.ts';
import { getProfile } from './python/get-profile.ts';
import { listProfilesTool } from './python/list-profiles.ts';
import { profileCode } from './python/profile-code.ts';
import { profileScript } from './python/profile-script.ts';
import { controlEventTracking } from './scheduler/control-event-tracking.ts';
import { getPerfResults } from './scheduler/get-perf-results.ts';
import { getTopology } from './scheduler/get-topology.ts';
import { listEvents } from './scheduler/list-events.ts';
import { queryStats } from './scheduler/query-stats.ts';
import { readEvents } from './scheduler/read-events.ts';
import { readResourceTool } from './scheduler/read-resource.ts';
import { recordTraceTool } from './scheduler/record-trace.ts';
import { startPerfProfiling } from './scheduler/start-perf-profiling.ts';
import { stopPerfProfiling } from './scheduler/stop-perf-profiling.ts';
import { traceKernelFunctions } from './scheduler/trace-kernel-functions.ts';

/** Every tool, in the order in which clients list them. */
export const tools: readonly Tool[] = [
  queryStats,
  readResourceTool,
  getTopology,
  listEvents,
  startPerfProfiling,
  stopPerfProfiling,
  getPerfResults,
  traceKernelFunctions,
  getSchedulingStats,
  getTopProcesses,
  resetStatsTool,
  enableCollectionTool,
  disableCollectionTool,
  controlEventTracking,
  readEvents,
  recordTraceTool,
  perfInfo,
  perfSnapshot,
  perfUseCheck,
  perfIoLatency,
  perfNetHealth,
  perfCgroupSummary,
  perfFdTrace,
  perfCpuProfile,
  perfExecTrace,
  perfOffcpuProfile,
  perfBioLatency,
  perfFileTrace,
  perfVfsLatency,
  perfTcpTrace,
  perfDnsLatency,
  perfIoLayers,
  perfTriage,
  perfRunqLatency,
  perfSyscallCount,
  perfThreadProfile,
  profileView,
  profileScript,
  profileCode,
  analyzeProfileTool,
  getCpuHotspots,
  getMemoryHotspots,
  getGpuHotspots,
  getBottlenecks,
  getMemoryLeaks,
  getFunctionSummary,
  compareProfilesTool,
  listProfilesTool,
  getProfile,
  getFileDetails,
];
