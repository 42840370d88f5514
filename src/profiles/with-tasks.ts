import type { Frame, StackProfile } from './stack-profile.ts';

/**
 * The same profile with the name of the task as the outermost frame of each stack, as folded stacks
 * have it. A stack without a name stays as it is.
 */
export function withTasks(profile: StackProfile): StackProfile {
  const frames: Frame[] = [...profile.frames];
  const numbers = new Map<string, number>();
  const numberOf = (comm: string): number => {
    const known = numbers.get(comm);
    if (known !== undefined) return known;
    const number = frames.push({ name: comm, module: null, kind: 'unknown' }) - 1;
    numbers.set(comm, number);
    return number;
  };
  const stacks = profile.stacks.map((stack) =>
    stack.comm === null ? stack : { ...stack, frames: [numberOf(stack.comm), ...stack.frames] },
  );
  return { ...profile, frames, stacks };
}
