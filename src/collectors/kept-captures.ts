import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { cut, page } from '../page.ts';
import type { Reading } from '../reading.ts';
import { capture_ttl_ms } from '../store/capture-store.ts';
import type { Manifest } from '../store/manifest.ts';

export type KeptCapture = Manifest & Readonly<{ expires_at: string }>;

/** Captures of all kinds, newest first. */
export function listCaptures(
  ctx: Context,
  query: Readonly<{ limit: number; offset: number }>,
): Reading<Readonly<{ captures: readonly KeptCapture[]; bytes: number; folder: string }>> {
  const all = ctx.captures
    .kinds()
    .flatMap(ctx.captures.list)
    .toSorted((a, b) => b.created_at.localeCompare(a.created_at));
  const part = page(all, query);
  const bytes = all.reduce((sum, each) => sum + each.bytes, 0);
  const captures = part.rows.map((each) => ({
    ...each,
    expires_at: new Date(Date.parse(each.created_at) + capture_ttl_ms).toISOString(),
  }));
  const [newest] = captures;
  return {
    data: { captures, bytes, folder: ctx.captures.folder },
    ...cut(part, `captures://list?offset=${part.next_offset}`),
    source: ctx.captures.folder,
    summary: [
      newest === undefined
        ? 'No capture is kept.'
        : `${all.length} captures, ${bytes} bytes; newest ${newest.id}: ${newest.title}.`,
    ],
  };
}

/** The kind is the beginning of the id. INVALID_PARAMS where there is no such capture. */
export function forgetCapture(ctx: Context, id: string): void {
  const kind = /^[a-z]+/.exec(id)?.[0] ?? '';
  if (kind !== '' && ctx.captures.remove(kind, id)) return;
  throw unknownCapture(ctx, id);
}

export function unknownCapture(ctx: Context, id: string): TracewrightError {
  const ids = ctx.captures
    .kinds()
    .flatMap(ctx.captures.list)
    .map((each) => each.id);
  return new TracewrightError(
    'INVALID_PARAMS',
    `There is no capture "${id.slice(0, 80)}".`,
    ids.length === 0 ? 'None is kept.' : `Kept: ${ids.slice(0, 10).join(', ')}.`,
  );
}
