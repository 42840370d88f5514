import type { Frame, StackProfile } from './stack-profile.ts';

/** One function, by name and module, with its weight. */
export type FunctionWeight = Readonly<{
  frame: Frame;
  /** On top of the stack; anywhere on it, recursion counted once. */
  self: number;
  total: number;
  /** Samples behind the two. */
  self_samples: number;
  total_samples: number;
  /** Variance of the two that the number of samples leaves, in squares of the unit. */
  self_variance: number;
  total_variance: number;
}>;

type Sums = { -readonly [K in keyof FunctionWeight]: FunctionWeight[K] };

/** Frames that are one function have one key, whether inlined or not. */
export const functionKey = ({ name, module }: Frame): string =>
  `${name}\n${(module ?? '').replace(of_one_process, 'jit')}`;

/** Code that a JIT made, which perf finds in a file of each process. */
const of_one_process = /^.*\/(?:perf-\d+\.map|jitted-\d+-\d+\.so)$/;

/** Every function, heaviest first by the weight asked for. */
export function topFunctions(profile: StackProfile, by: 'self' | 'total'): FunctionWeight[] {
  const { sums, numbers } = functionsOf(profile);
  const seen = new Int32Array(sums.length).fill(-1);
  for (const [index, { frames, weight, samples }] of profile.stacks.entries()) {
    // Of a sum of n equal samples: n times the square of one.
    const variance = samples > 0 ? (weight * weight) / samples : 0;
    for (const frame of frames) {
      const number = numbers[frame] ?? -1;
      const sum = sums[number];
      if (!sum || seen[number] === index) continue;
      seen[number] = index;
      sum.total += weight;
      sum.total_samples += samples;
      sum.total_variance += variance;
    }
    const top = sums[numbers[frames.at(-1) ?? -1] ?? -1];
    if (!top) continue;
    top.self += weight;
    top.self_samples += samples;
    top.self_variance += variance;
  }
  const other = by === 'self' ? 'total' : 'self';
  return sums.filter(({ total }) => total > 0).sort((a, b) => b[by] - a[by] || b[other] - a[other]);
}

function functionsOf({ frames }: StackProfile): { sums: Sums[]; numbers: Int32Array } {
  const sums: Sums[] = [];
  const known = new Map<string, number>();
  const numbers = Int32Array.from(frames, (frame) => {
    const key = functionKey(frame);
    const number = known.get(key) ?? sums.length;
    if (number === sums.length) {
      known.set(key, number);
      sums.push({
        frame,
        self: 0,
        total: 0,
        self_samples: 0,
        total_samples: 0,
        self_variance: 0,
        total_variance: 0,
      });
    }
    return number;
  });
  return { sums, numbers };
}
