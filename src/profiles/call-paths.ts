import { frameLabel } from './frame-words.ts';
import type { Frame, StackProfile } from './stack-profile.ts';
import { functionKey } from './top-functions.ts';

export type Neighbour = Readonly<{ name: string; weight: number }>;

export type CallPaths = Readonly<{
  /** Functions that the name fits. */
  functions: readonly string[];
  self: number;
  total: number;
  /** Who calls it and what it calls, heaviest first. A sample counts at its innermost call. */
  callers: readonly Neighbour[];
  callees: readonly Neighbour[];
}>;

/**
 * Who calls a function and what it calls, by weight. The name is the whole one, or "name [module]";
 * where none is called so, every function that contains it.
 */
export function callPaths(profile: StackProfile, wanted: string): CallPaths {
  const matching = matchingFrames(profile.frames, wanted);
  const callers = new Map<string, Sum>();
  const callees = new Map<string, Sum>();
  let self = 0;
  let total = 0;
  for (const { frames, weight } of profile.stacks) {
    const at = frames.findLastIndex((frame) => matching.has(frame));
    if (at < 0) continue;
    total += weight;
    if (at === frames.length - 1) self += weight;
    else addTo(callees, profile.frames[frames[at + 1] ?? -1], weight);
    addTo(callers, profile.frames[frames[at - 1] ?? -1], weight);
  }
  const functions = [...matching].flatMap((frame) => profile.frames[frame] ?? []);
  return {
    functions: [...new Set(functions.map((frame) => frameLabel(frame)))],
    self,
    total,
    callers: heaviest(callers),
    callees: heaviest(callees),
  };
}

type Sum = { frame: Frame | undefined; weight: number };

function addTo(sums: Map<string, Sum>, frame: Frame | undefined, weight: number): void {
  const key = frame ? functionKey(frame) : '';
  const sum = sums.get(key);
  if (sum) sum.weight += weight;
  else sums.set(key, { frame, weight });
}

const heaviest = (sums: ReadonlyMap<string, Sum>): readonly Neighbour[] =>
  [...sums.values()]
    .sort((a, b) => b.weight - a.weight)
    .map(({ frame, weight }) => ({ name: frame ? frameLabel(frame) : '[no caller]', weight }));

function matchingFrames(frames: readonly Frame[], wanted: string): ReadonlySet<number> {
  const by = (fits: (frame: Frame) => boolean): number[] =>
    frames.flatMap((frame, number) => (fits(frame) ? [number] : []));
  const whole = by((frame) => frame.name === wanted || frameLabel(frame, 1000) === wanted);
  return new Set(whole.length > 0 ? whole : by(({ name }) => name.includes(wanted)));
}
