import type { Context } from '../context.ts';
import { TracewrightError, toTracewrightError } from '../errors.ts';
import { captureText, readCaptureText } from '../profiles/capture-file.ts';
import { flamePicture } from '../profiles/flame-picture.ts';
import { flamePng } from '../profiles/flame-png.ts';
import { flameSvg } from '../profiles/flame-svg.ts';
import type { StackProfile } from '../profiles/stack-profile.ts';
import type { Picture, ResourceLink } from '../reading.ts';
import { mustBeOf } from './capture-ids.ts';
import { nextTurn } from './next-turn.ts';

const kind = 'profile';
const file = 'profile.json';
export const largest_view_bytes = 5_000_000;
/** A picture goes into an answer as a whole. */
export const largest_png_bytes = 300_000;

/** What an answer says of the capture that its profile was kept as. */
export type Kept = Readonly<{
  /** Null where the profile could not be kept; the warning says why. */
  capture_id: string | null;
  /** An SVG to be opened in a browser. */
  flamegraph_file: string | null;
}>;

export type Keeping = Readonly<{
  kept: Kept;
  links: readonly ResourceLink[];
  warnings: readonly string[];
  picture?: Picture | undefined;
}>;

export const captureUri = (id: string, view: string): string =>
  `profiling://captures/${id}/${view}`;

/**
 * A profile without a stack is not worth keeping, and a full disk is no reason to lose an answer.
 * `isShown`: its flame graph goes into the answer.
 */
export async function tryToKeep(
  ctx: Context,
  profile: StackProfile,
  title: string,
  isShown = false,
): Promise<Keeping> {
  const kept = { capture_id: null, flamegraph_file: null };
  if (profile.stacks.length === 0) return { kept, links: [], warnings: [] };
  const picture = isShown ? flameImage(profile, title) : undefined;
  try {
    return { ...(await keepCapture(ctx, profile, title)), warnings: [], picture };
  } catch (thrown) {
    const { message, suggestion } = toTracewrightError(thrown);
    const warnings = [`The profile is not kept: ${message} ${suggestion}`];
    return { kept, links: [], warnings, picture };
  }
}

const flameImage = (profile: StackProfile, title: string): Picture => ({
  mimeType: 'image/png',
  bytes: flamePng(flamePicture(profile, title), largest_png_bytes),
});

/** Keeps a profile under an id, its flame graph beside it. EXECUTION_FAILED without space. */
export async function keepCapture(ctx: Context, profile: StackProfile, title: string) {
  const text = captureText(profile);
  await nextTurn();
  const { id } = await ctx.captures.save(kind, title, { [file]: text });
  await nextTurn();
  const picture = flamePicture(profile, title);
  await nextTurn();
  const svg = flameSvg(picture, { max_bytes: largest_view_bytes });
  await nextTurn();
  const flamegraph_file = ctx.captures.view(kind, id, 'flamegraph.svg', svg);
  const links = flameLink(id, title);
  return { kept: { capture_id: id, flamegraph_file }, links };
}

export const flameLink = (id: string, title: string): readonly ResourceLink[] => [
  {
    uri: captureUri(id, 'flamegraph.svg'),
    name: `Flame graph: ${title}`.slice(0, 100),
    mimeType: 'image/svg+xml',
  },
];

/** The id is null where a profile was only read, and not kept. */
export type Capture = Readonly<{ id: string | null; title: string; profile: StackProfile }>;

/** INVALID_PARAMS names the captures there are. */
export function loadCapture(ctx: Context, id: string): Capture {
  const text = ctx.captures.read(kind, id, file);
  const profile = text === null ? null : readCaptureText(text);
  if (profile === null) {
    mustBeOf('profile', id);
    throw unknownCapture(ctx, id);
  }
  const title = ctx.captures.list(kind).find((each) => each.id === id)?.title ?? id;
  return { id, title, profile };
}

/** Puts a view beside its capture. */
export function saveView(ctx: Context, id: string, name: string, bytes: string | Uint8Array) {
  const path = ctx.captures.view(kind, id, name, bytes);
  if (path === null) throw unknownCapture(ctx, id);
  return path;
}

export const isCaptureId = (text: string): boolean => /^profile_[0-9a-z]{8,24}$/.test(text);

function unknownCapture(ctx: Context, id: string): TracewrightError {
  const all = ctx.captures.list(kind);
  const some = all.slice(0, 5).map((each) => `${each.id} (${each.title})`);
  return new TracewrightError(
    'INVALID_PARAMS',
    `There is no profile capture "${id.slice(0, 60)}".`,
    some.length === 0
      ? 'Make one with perf_cpu_profile or start_perf_profiling.'
      : `Newest: ${some.join(', ')}.`,
  );
}
