import { stackBuilder } from '../profiles/stack-builder.ts';
import type { StackProfile } from '../profiles/stack-profile.ts';
import { type Traced, withoutProbe } from './function-report.ts';

/** Who called the functions, as it is kept: each call of a function is one on top of its callers. */
export function functionCapture({ seen, window_ns, probes, warnings }: Traced): StackProfile {
  const builder = stackBuilder();
  for (const [index, { name }] of probes.entries()) {
    for (const { comm, count, frames } of seen.functions.get(index)?.stacks ?? []) {
      const stack = [name, ...withoutProbe(name, frames)].reverse();
      const numbers = stack.map((each) =>
        builder.frame({ name: each, module: null, kind: 'kernel' }),
      );
      builder.add(numbers, { comm, pid: null, tid: null }, count, count);
    }
  }
  return builder.finish({
    event: `calls of ${probes.map(({ name }) => name).join(', ')}`,
    unit: 'count',
    period: null,
    duration_ms: Math.round(window_ns / 1e6),
    lost: 0,
    warnings,
  });
}
