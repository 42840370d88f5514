import type { Call, Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { ofEvent } from '../profiles/event-filter.ts';
import type { StackProfile } from '../profiles/stack-profile.ts';
import { captureIdIn, mustBeOf } from './capture-ids.ts';
import {
  type Capture,
  flameLink,
  isCaptureId,
  keepCapture,
  loadCapture,
} from './profile-captures.ts';
import { importProfile } from './profile-import.ts';
import { profileView, type ViewQuery, type ViewReading } from './profile-view.ts';

/**
 * A view of a kept profile, or of a file that is imported and kept first, so that its id serves for the
 * next view.
 */
export async function collectProfileView(
  ctx: Context,
  { capture: given, ...query }: ViewQuery & Readonly<{ capture: string }>,
  call: Call,
): Promise<ViewReading> {
  const capture = captureIdIn(given);
  mustBeOf('profile', capture);
  if (isCaptureId(capture)) return profileView(ctx, loadCapture(ctx, capture), query);
  const { path, format, profiles } = await importProfile(ctx, capture, call);
  const wanted = query.event === undefined ? profiles : ofEvent(profiles, query.event);
  if (wanted.length === 0) throw noSuchEvent(profiles);
  const captures: Capture[] = [];
  for (const profile of wanted) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const title = wanted.length > 1 ? `${name}, ${profile.event}` : name;
    const keeping = ctx.settings.readOnly ? null : await keepCapture(ctx, profile, title);
    captures.push({ id: keeping?.kept.capture_id ?? null, title, profile });
  }
  const [first, ...others] = captures;
  if (!first) throw new Error(`a reader of ${format} gave no profile`);
  const reading = profileView(ctx, first, query);
  const events = others.map(({ id, profile }) => ({ event: profile.event, capture_id: id }));
  return {
    ...reading,
    data: {
      ...reading.data,
      imported: { format, ...(events.length > 0 ? { other_events: events } : {}) },
    },
    source: `${path} (${format})`,
    links: reading.links ?? (first.id === null ? [] : flameLink(first.id, first.title)),
    warnings: [...(reading.warnings ?? []), ...first.profile.warnings.slice(0, 5)],
  };
}

const noSuchEvent = (profiles: readonly StackProfile[]): TracewrightError =>
  new TracewrightError(
    'INVALID_PARAMS',
    'The file has no samples of this event.',
    `It has: ${profiles.map(({ event }) => event).join(', ')}.`,
  );
