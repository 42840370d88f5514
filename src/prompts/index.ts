import { analyzeCpuImbalance } from './analyze-cpu-imbalance.ts';
import { analyzeSchedulerPerformance } from './analyze-scheduler-performance.ts';
import { debugHighLatency } from './debug-high-latency.ts';
import type { Prompt } from './define-prompt.ts';
import { investigateSchedulerBehavior } from './investigate-scheduler-behavior.ts';
import { profileSystem } from './profile-system.ts';
import { summarizeSystem } from './summarize-system.ts';

/** Every prompt, in the order in which clients list them. */
export const prompts: readonly Prompt[] = [
  summarizeSystem,
  analyzeSchedulerPerformance,
  debugHighLatency,
  analyzeCpuImbalance,
  investigateSchedulerBehavior,
  profileSystem,
];
