import { kindColour } from './flame-colours.ts';
import type { FlamePicture } from './flame-svg.ts';
import { frameTree } from './frame-tree.ts';
import { frameLabel, sharePct, weightText } from './frame-words.ts';
import type { StackProfile } from './stack-profile.ts';
import { withoutUnknownRuns } from './unknown-runs.ts';
import { withTasks } from './with-tasks.ts';

const most_name = 300;

/** The flame graph of one profile: tasks at the root, a colour for each kind of frame. */
export function flamePicture(profile: StackProfile, title: string): FlamePicture {
  const named = withTasks(withoutUnknownRuns(profile));
  const tree = frameTree(named);
  const whole = tree.totals[0] ?? 0;
  const frameOf = (node: number) => named.frames[tree.frames[node] ?? -1];
  const amount = (weight: number): string =>
    `${weightText(weight, profile.unit)}, ${sharePct(weight, whole)} %`;
  return {
    title,
    subtitle: profileWords(profile).join('; '),
    tree,
    name(node) {
      const frame = frameOf(node);
      return frame ? frameLabel(frame, most_name) : 'all';
    },
    tip: (node) => amount(tree.totals[node] ?? 0),
    colour(node) {
      const frame = frameOf(node);
      return frame ? kindColour(frame.kind, frame.name) : '#bbb';
    },
    mergedTip: (width) => amount(width * whole),
  };
}

/** What there is to know of a profile, in words. */
export function profileWords(profile: StackProfile): readonly string[] {
  const { event, unit, total, samples, duration_ms, lost } = profile;
  return [
    event,
    unit === 'samples' ? `${total} samples` : `${weightText(total, unit)} in ${samples} samples`,
    ...(duration_ms === null ? [] : [`${Math.round(duration_ms / 10) / 100} s`]),
    ...(lost > 0 ? [`${lost} lost`] : []),
  ];
}
