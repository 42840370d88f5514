import { aggregatedCpu } from './aggregated-cpu.ts';
import { aggregatedDsq } from './aggregated-dsq.ts';
import { aggregatedLlc } from './aggregated-llc.ts';
import { aggregatedNode } from './aggregated-node.ts';
import { aggregatedProcess } from './aggregated-process.ts';
import { bpfPrograms } from './bpf-programs.ts';
import { captureRecording, capturesList } from './captures.ts';
import type { Resource } from './define-resource.ts';
import { eventsKprobe } from './events-kprobe.ts';
import { eventsPerf } from './events-perf.ts';
import { eventsStream } from './events-stream.ts';
import { profileCaptures } from './profile-captures.ts';
import { perfProfilingResults, perfProfilingStatus } from './profiling.ts';
import { schedulerCurrent } from './scheduler-current.ts';
import { schedulerRaw } from './scheduler-raw.ts';
import { schedulerScx } from './scheduler-scx.ts';
import { systemCpu } from './system-cpu.ts';
import { systemMemory } from './system-memory.ts';
import { systemNetwork } from './system-network.ts';
import { topologyInfo } from './topology.ts';

/** Every resource, in the order in which clients list them. */
export const resources: readonly Resource[] = [
  schedulerCurrent,
  schedulerRaw,
  schedulerScx,
  topologyInfo,
  aggregatedCpu,
  aggregatedLlc,
  aggregatedNode,
  aggregatedDsq,
  aggregatedProcess,
  systemCpu,
  systemMemory,
  systemNetwork,
  eventsPerf,
  eventsKprobe,
  eventsStream,
  bpfPrograms,
  perfProfilingStatus,
  perfProfilingResults,
  profileCaptures,
  capturesList,
  captureRecording,
];
