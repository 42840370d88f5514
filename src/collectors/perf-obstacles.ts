import type { Context } from '../context.ts';
import { hasCapability } from '../procfs/effective-capabilities.ts';
import { kernelFacts } from './kernel-facts.ts';
import { mayMeasureAll, refused_root } from './perf-refusals.ts';
import { runsPrivileged } from './privileges.ts';
import type { Obstacle } from './tracing-obstacles.ts';

/** Why perf may not profile whole CPUs and the kernel here; null where it may. */
export function wholeMachineObstacle(ctx: Context): Obstacle | null {
  if (runsPrivileged(ctx)) return rootObstacle(ctx, 0);
  const { reason, fix } = kernelFacts(ctx).perf_event_paranoid;
  return reason === null ? null : { reason, fix };
}

/** Why perf may not record trace events here; null where it may. */
export function traceEventsObstacle(ctx: Context): Obstacle | null {
  if (runsPrivileged(ctx)) return rootObstacle(ctx, -1);
  return { reason: 'Trace events are for root.', fix: 'sudo tracewright mcp' };
}

/** The root user of a container without the capabilities is a user like others, up to a paranoid level. */
function rootObstacle(ctx: Context, most_paranoid: number): Obstacle | null {
  const paranoid = ctx.files.number('/proc/sys/kernel/perf_event_paranoid');
  if (mayMeasureAll(ctx) || paranoid === null || paranoid <= most_paranoid) return null;
  return hasCapability(ctx.files, 'perfmon') === false ? refused_root : null;
}
