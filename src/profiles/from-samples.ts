import type { Profile } from '../analysis/profile.ts';
import type { Frame, FrameKind, StackProfile } from './stack-profile.ts';

type Facts = Pick<StackProfile, 'event' | 'period' | 'duration_ms' | 'lost' | 'warnings'>;

/** Merged samples of perf or bpftrace as stacks with weights. Threads are merged into processes. */
export function fromSamples(profile: Profile, facts: Facts): StackProfile {
  const { nodes, shares, processes, symbols } = profile;
  const frames = symbols.map(({ symbol, module, is_kernel }): Frame => {
    const known = module === '[unknown]' ? null : module;
    return { name: symbol, module: known, kind: kindOf(module, is_kernel) };
  });
  const stacks = Array.from(shares.weights, (weight, share) => {
    const stack: number[] = [];
    for (let at = shares.nodes[share] ?? 0; at > 0; at = nodes.parents[at] ?? 0) {
      stack.push(nodes.symbols[at] ?? 0);
    }
    const process = processes[shares.processes[share] ?? -1];
    return {
      frames: stack.reverse(),
      comm: process?.comm ?? null,
      pid: process?.pid ?? null,
      tid: null,
      weight,
      samples: weight,
    };
  });
  return {
    ...facts,
    unit: 'samples',
    frames,
    stacks,
    total: profile.total,
    samples: profile.total,
  };
}

function kindOf(module: string, is_kernel: boolean): FrameKind {
  if (module === 'inlined') return 'inlined';
  if (/^bpf_prog_|^bpf_/.test(module)) return 'bpf';
  if (is_kernel) return 'kernel';
  if (/^\/tmp\/perf-\d+\.map$|jitted-\d+-\d+\.so$/.test(module)) return 'jit';
  if (module.startsWith('[guest')) return 'guest';
  return module === '[unknown]' ? 'unknown' : 'user';
}
