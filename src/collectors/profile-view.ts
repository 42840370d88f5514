import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { cut, page } from '../page.ts';
import type { FoldedWish } from '../profiles/folded-text.ts';
import type { Picture, Reading } from '../reading.ts';
import {
  type Capture,
  captureUri,
  largest_view_bytes,
  loadCapture,
  saveView,
} from './profile-captures.ts';
import {
  type FileView,
  fileViewNames,
  fileViews,
  isFileView,
  viewFile,
} from './profile-view-files.ts';
import { type RowView, rowViews, viewRows } from './profile-view-rows.ts';

export type View = RowView | FileView;
export const views: readonly [View, ...View[]] = [...rowViews, ...fileViewNames];

/** What every view says; the rest is the view's own. */
export type ViewData = Readonly<{
  capture_id: string | null;
  view: string;
  [more: string]: unknown;
}>;

export type ViewReading = Reading<ViewData>;

export type ViewQuery = Readonly<{
  view: View;
  function?: string | undefined;
  /** Id of the capture from before. */
  other?: string | undefined;
  /** Of a file with several events: which one. */
  event?: string | undefined;
  limit: number;
  offset: number;
}> &
  FoldedWish;

/** A picture that a client reads is smaller than one in a file. */
const largest_picture_bytes = 1_000_000;
/** Text of a file that is small enough to stand in an answer. */
const shown_bytes = 30_000;

/** Rows of a view, paged; or the view as a file beside the capture, with its path. */
export function profileView(ctx: Context, capture: Capture, query: ViewQuery): ViewReading {
  const { view } = query;
  return isFileView(view)
    ? fileReading(ctx, capture, view, query)
    : rowsReading(ctx, capture, view, query);
}

/** The same for a client that reads a resource: it gets what the file holds, and none is written. */
export function profileViewContent(
  ctx: Context,
  id: string,
  query: ViewQuery,
): Readonly<{ mimeType: string; content: string | Uint8Array }> | ViewReading {
  const capture = loadCapture(ctx, id);
  const { view } = query;
  if (!isFileView(view)) return rowsReading(ctx, capture, view, query);
  const content = viewFile(capture, view, largest_picture_bytes, otherOf(ctx, query));
  if (content.length > largest_view_bytes) throw tooLarge(content.length, id, view);
  return { mimeType: fileViews[view], content };
}

/** A view as JSON: what a file holds stands in it where it is short text. */
export function profileViewDocument(ctx: Context, id: string, query: ViewQuery): ViewReading {
  const made = profileViewContent(ctx, id, query);
  if ('data' in made) return made;
  const { mimeType, content } = made;
  const short = typeof content === 'string' && Buffer.byteLength(content) <= shown_bytes;
  return {
    data: { capture_id: id, view: query.view, mime_type: mimeType, text: short ? content : null },
    source: 'a kept profile',
    summary: [`${query.view} of ${id}: ${Buffer.byteLength(content)} bytes.`],
    unavailable: short
      ? []
      : [
          {
            what: 'text',
            reason: 'It is no text, or too long for an answer.',
            fix: `profile_view capture=${id} view=${query.view} writes it to a file`,
          },
        ],
  };
}

function otherOf(ctx: Context, { other }: ViewQuery): Capture | null {
  return other === undefined ? null : loadCapture(ctx, other);
}

function rowsReading(ctx: Context, capture: Capture, view: RowView, query: ViewQuery): ViewReading {
  const { rows, summary, facts } = viewRows(capture, view, {
    function: query.function,
    other: otherOf(ctx, query),
    ids: query.ids,
    marks: query.marks,
  });
  const part = page(rows, query, 24_000);
  const { duration_ms } = capture.profile;
  return {
    data: { capture_id: capture.id, view, ...facts, rows: part.rows },
    source: 'a kept profile',
    summary,
    ...(duration_ms === null ? {} : { window_ms: duration_ms }),
    ...cut(part, `profile_view with offset=${part.next_offset}`),
  };
}

function fileReading(
  ctx: Context,
  capture: Capture,
  view: FileView,
  query: ViewQuery,
): ViewReading {
  const { id } = capture;
  const isPicture = fileViews[view] === 'image/png';
  if (ctx.settings.readOnly || id === null) {
    if (isPicture) return pictureReading(capture, view, otherOf(ctx, query));
    throw new TracewrightError(
      'NOT_ALLOWED',
      'A server with --read-only writes no files.',
      'Ask for the rows of top, tree or folded, or start the server without --read-only.',
    );
  }
  const other = otherOf(ctx, query);
  const content = viewFile(capture, view, largest_view_bytes, other, query);
  const picture = isPicture && typeof content !== 'string' ? pictureOf(content) : undefined;
  const name = other?.id == null ? view : `${other.id.replace('_', '-')}-${view}`;
  const path = saveView(ctx, id, name, content);
  const uri = captureUri(id, view) + (other?.id == null ? '' : `?other=${other.id}`);
  const bytes = Buffer.byteLength(content);
  return {
    data: { capture_id: id, view, file: path, bytes, mime_type: fileViews[view], uri },
    source: 'a kept profile',
    summary: [`${view} of ${capture.title}: ${bytes} bytes in ${path}.`, ...howToOpen(view)],
    links: [{ uri, name: `${view} of ${capture.title}`.slice(0, 100), mimeType: fileViews[view] }],
    picture,
  };
}

const pictureOf = (bytes: Uint8Array): Picture => ({ mimeType: 'image/png', bytes });

/** Where no file may be written the picture still goes into the answer. */
function pictureReading(capture: Capture, view: FileView, other: Capture | null): ViewReading {
  const content = viewFile(capture, view, largest_view_bytes, other);
  const { id, title } = capture;
  return {
    data: { capture_id: id, view, bytes: content.length, mime_type: fileViews[view] },
    source: 'a kept profile',
    summary: [`${view} of ${title}: ${content.length} bytes.`],
    picture: typeof content === 'string' ? undefined : pictureOf(content),
  };
}

function howToOpen(view: FileView): readonly string[] {
  if (view === 'speedscope.json') return ['Open it at speedscope.app, which keeps it local.'];
  if (view === 'profile.pb.gz') return ['Open it with: go tool pprof -http=: FILE'];
  if (view === 'profile.pftrace') return ['Open it at ui.perfetto.dev, which keeps it local.'];
  if (view.endsWith('.png')) return ['Clients that show pictures have it beside this answer.'];
  return view === 'folded.txt' ? [] : ['Open it in a browser: click zooms, Ctrl-F searches.'];
}

const tooLarge = (bytes: number, id: string, view: string): TracewrightError =>
  new TracewrightError(
    'NOT_ALLOWED',
    `${view} has ${bytes} bytes, more than one reading may have.`,
    `profile_view capture=${id} view=${view} writes it to a file.`,
  );
