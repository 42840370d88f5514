import { untrusted } from '../../parsers/untrusted.ts';
import type { Frame, StackProfile } from './stack-profile.ts';

/** As in parsers/perf-script: names of C++ templates are long. */
const longest_name = 4096;

type Task = Readonly<{ comm: string | null; pid: number | null; tid: number | null }>;

export type StackBuilder = Readonly<{
  frame(frame: Frame): number;
  /** Frames root first. The same stack of the same task is added up. */
  add(frames: readonly number[], task: Task, weight: number, samples: number): void;
  finish(
    facts: Pick<StackProfile, 'event' | 'unit' | 'period' | 'duration_ms' | 'lost' | 'warnings'>,
  ): StackProfile;
}>;

type Sum = {
  -readonly [K in keyof StackProfile['stacks'][number]]: StackProfile['stacks'][number][K];
};

/** Adds up stacks that come one after another, by what they consist of. */
export function stackBuilder(): StackBuilder {
  const frames: Frame[] = [];
  const numbers = new Map<string, number>();
  const stacks = new Map<string, Sum>();
  return {
    frame(given) {
      const frame = { ...given, name: untrusted(given.name, longest_name) || '[unknown]' };
      const key = `${frame.kind}\n${frame.name}\n${frame.module ?? ''}`;
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, frames.length);
      return frames.push(frame) - 1;
    },
    add(stack, task, weight, samples) {
      const key = `${stack.join()} ${task.pid} ${task.tid} ${task.comm}`;
      const sum = stacks.get(key);
      if (!sum) stacks.set(key, { frames: stack, ...task, weight, samples });
      else {
        sum.weight += weight;
        sum.samples += samples;
      }
    },
    finish(facts) {
      const all = [...stacks.values()];
      return {
        ...facts,
        frames,
        stacks: all,
        total: all.reduce((sum, { weight }) => sum + weight, 0),
        samples: all.reduce((sum, { samples }) => sum + samples, 0),
      };
    },
  };
}
