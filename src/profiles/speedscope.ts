import { frameName, moduleName } from './frame-words.ts';
import type { StackProfile } from './stack-profile.ts';

const units = { samples: 'none', ns: 'nanoseconds', count: 'none', bytes: 'bytes' } as const;

/**
 * The profile in the file format of speedscope, as one sampled profile. Stacks are distinct ones, in
 * no order of time: look at "left heavy" and "sandwich".
 */
export function speedscopeFile(profile: StackProfile, name: string, exporter: string): string {
  return JSON.stringify({
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    name,
    exporter,
    activeProfileIndex: 0,
    shared: {
      frames: profile.frames.map((frame) => ({
        name: frameName(frame, 1000),
        ...(frame.module === null ? {} : { file: moduleName(frame.module) }),
      })),
    },
    profiles: [
      {
        type: 'sampled',
        name: profile.event,
        unit: units[profile.unit],
        startValue: 0,
        endValue: profile.total,
        samples: profile.stacks.map(({ frames }) => frames),
        weights: profile.stacks.map(({ weight }) => weight),
      },
    ],
  });
}
