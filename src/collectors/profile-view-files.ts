import { TracewrightError } from '../errors.ts';
import { diffPicture } from '../profiles/diff-picture.ts';
import { flameHtml } from '../profiles/flame-html.ts';
import { flamePicture } from '../profiles/flame-picture.ts';
import { flamePng } from '../profiles/flame-png.ts';
import { type FlamePicture, flameSvg } from '../profiles/flame-svg.ts';
import { type FoldedWish, foldedOptions, foldedText } from '../profiles/folded-text.ts';
import { pprofFile } from '../profiles/pprof-file.ts';
import { noiseNote } from '../profiles/profile-diff.ts';
import { profileTrace } from '../profiles/profile-trace.ts';
import { speedscopeFile } from '../profiles/speedscope.ts';
import type { SampleTimes } from '../profiles/stack-profile.ts';
import { withTasks } from '../profiles/with-tasks.ts';
import { type Capture, largest_png_bytes } from './profile-captures.ts';

/** Views that are files of their own, and what they are. */
export const fileViews = {
  'flamegraph.svg': 'image/svg+xml',
  'flamegraph.html': 'text/html',
  'flamegraph.png': 'image/png',
  'folded.txt': 'text/plain',
  'speedscope.json': 'application/json',
  'profile.pb.gz': 'application/octet-stream',
  'profile.pftrace': 'application/octet-stream',
  'diff.svg': 'image/svg+xml',
  'diff.html': 'text/html',
  'diff.png': 'image/png',
} as const;

export type FileView = keyof typeof fileViews;

export const fileViewNames = [
  'flamegraph.svg',
  'flamegraph.html',
  'flamegraph.png',
  'folded.txt',
  'speedscope.json',
  'profile.pb.gz',
  'profile.pftrace',
  'diff.svg',
  'diff.html',
  'diff.png',
] as const satisfies readonly FileView[];

export const isFileView = (view: string): view is FileView => Object.hasOwn(fileViews, view);

/**
 * One view of a capture as a file. Flame graphs merge small calls until they fit into `max_bytes`;
 * other files are what they are. `other` is the capture from before, for the difference.
 */
export function viewFile(
  { title, profile }: Capture,
  view: FileView,
  max_bytes: number,
  other: Capture | null,
  folded: FoldedWish = {},
): string | Uint8Array {
  const options = { max_bytes };
  switch (view) {
    case 'flamegraph.svg':
      return flameSvg(flamePicture(profile, title), options);
    case 'flamegraph.html':
      return flameHtml(flamePicture(profile, title), profile.warnings, options);
    case 'flamegraph.png':
      return flamePng(flamePicture(profile, title), Math.min(max_bytes, largest_png_bytes));
    case 'folded.txt':
      return foldedText(profile, foldedOptions(folded));
    case 'speedscope.json':
      return speedscopeFile(withTasks(profile), title, 'tracewright');
    case 'profile.pb.gz':
      return pprofFile(profile);
    case 'profile.pftrace':
      return profileTrace(profile, timesOf(profile));
    case 'diff.svg':
      return flameSvg(difference(title, profile, other), options);
    case 'diff.html':
      return flameHtml(difference(title, profile, other), noise(profile, other), options);
    case 'diff.png':
      return flamePng(difference(title, profile, other), Math.min(max_bytes, largest_png_bytes));
  }
}

function timesOf({ times }: Capture['profile']): SampleTimes {
  if (times) return times;
  throw new TracewrightError(
    'FEATURE_UNAVAILABLE',
    'This profile tells how often each stack was met, and not when.',
    'perf tells: perf_cpu_profile, or a perf.data of at most 200,000 samples. Beside switches: record_trace sample_hz=99.',
  );
}

function difference(
  title: string,
  profile: Capture['profile'],
  other: Capture | null,
): FlamePicture {
  const before = beforeOf(other);
  return diffPicture(before.profile, profile, `${title}, compared with ${before.title}`);
}

const noise = (profile: Capture['profile'], other: Capture | null): readonly string[] => [
  noiseNote(beforeOf(other).profile, profile),
];

export function beforeOf(other: Capture | null): Capture {
  if (other) return other;
  throw new TracewrightError(
    'INVALID_PARAMS',
    'A difference needs two captures.',
    'Name the one from before as other.',
  );
}
