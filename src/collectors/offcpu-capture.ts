import { waitOf } from '../analysis/wait-type.ts';
import { stackBuilder } from '../profiles/stack-builder.ts';
import type { Frame, StackProfile } from '../profiles/stack-profile.ts';
import type { OffcpuTrace } from './offcpu-rungs.ts';

type Facts = Readonly<{ duration_ms: number; lost: number; warnings: readonly string[] }>;

/** Blocked time by stack, as it is kept: without workers of the kernel that wait for work. */
export function offcpuCapture({ blocked }: OffcpuTrace, facts: Facts): StackProfile {
  const builder = stackBuilder();
  const numbers = (names: readonly string[], kind: Frame['kind']): readonly number[] =>
    names.toReversed().map((text) => builder.frame(frameOf(text, kind)));
  for (const { user, kernel, comm, pid, tid, total_us, waits } of blocked) {
    if (waitOf([...kernel, ...user]).type === 'kernel_thread') continue;
    const stack = [...numbers(user, 'user'), ...numbers(kernel, 'kernel')];
    builder.add(stack, { comm, pid, tid }, Math.round(total_us * 1000), waits ?? 1);
  }
  return builder.finish({ event: 'off-CPU', unit: 'ns', period: null, ...facts });
}

/** Where the tracer tells the file of a function, it stands behind the name: "read [libc.so.6]". */
function frameOf(text: string, kind: Frame['kind']): Frame {
  const [, name, module] = /^(.*) \[([^\]]+)\]$/.exec(text) ?? [];
  if (name !== undefined && module !== undefined) return { name, module, kind };
  if (/^0x[0-9a-f]+$/.test(text)) return { name: '[unknown]', module: null, kind };
  return { name: text, module: null, kind };
}
