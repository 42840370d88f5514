import { waitOf } from '../analysis/wait-type.ts';
import type { Frame, StackProfile } from '../profiles/stack-profile.ts';
import type { Blocked, OffcpuTrace } from './offcpu-rungs.ts';

type Facts = Readonly<{ duration_ms: number; lost: number; warnings: readonly string[] }>;

/** Blocked time by stack, as it is kept: without workers of the kernel that wait for work. */
export function offcpuCapture({ blocked }: OffcpuTrace, facts: Facts): StackProfile {
  const frames: Frame[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (text: string, kind: Frame['kind']): number => {
    const key = `${kind} ${text}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, frames.length);
    return frames.push(frameOf(text, kind)) - 1;
  };
  const waits = blocked.filter(
    (each) => waitOf([...each.kernel, ...each.user]).type !== 'kernel_thread',
  );
  const stacks = waits.map((each: Blocked) => ({
    frames: [
      ...each.user.toReversed().map((text) => numberOf(text, 'user')),
      ...each.kernel.toReversed().map((text) => numberOf(text, 'kernel')),
    ],
    comm: each.comm,
    pid: each.pid,
    tid: each.tid,
    weight: Math.round(each.total_us * 1000),
    samples: each.waits ?? 1,
  }));
  return {
    event: 'off-CPU',
    unit: 'ns',
    frames,
    stacks,
    total: stacks.reduce((sum, { weight }) => sum + weight, 0),
    samples: stacks.reduce((sum, { samples }) => sum + samples, 0),
    period: null,
    ...facts,
  };
}

/** Where the tracer tells the file of a function, it stands behind the name: "read [libc.so.6]". */
function frameOf(text: string, kind: Frame['kind']): Frame {
  const [, name, module] = /^(.*) \[([^\]]+)\]$/.exec(text) ?? [];
  if (name !== undefined && module !== undefined) return { name, module, kind };
  if (/^0x[0-9a-f]+$/.test(text)) return { name: '[unknown]', module: null, kind };
  return { name: text, module: null, kind };
}
