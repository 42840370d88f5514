import type { StackProfile } from './stack-profile.ts';

/** The same profile with each run of nameless frames of one module as one frame. */
export function withoutUnknownRuns(profile: StackProfile): StackProfile {
  const nameless = profile.frames.map(({ name }) => name === '[unknown]' || name === '');
  const stacks = profile.stacks.map((stack) => ({
    ...stack,
    frames: stack.frames.filter((frame, at, all) => {
      const above = all[at - 1];
      if (above === undefined || !nameless[frame] || !nameless[above]) return true;
      return profile.frames[frame]?.module !== profile.frames[above]?.module;
    }),
  }));
  return { ...profile, stacks };
}
