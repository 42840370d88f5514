import { forgetCapture, listCaptures } from '../collectors/kept-captures.ts';
import type { Context } from '../context.ts';
import { TracewrightError } from '../errors.ts';
import { renderTable } from './table.ts';
import { ownStyle, widthOf } from './terminal.ts';

const most_rows = 1000;

/** `tracewright captures [list]` and `tracewright captures delete ID…`. */
export function captures([verb = 'list', ...ids]: readonly string[], ctx: Context, json: boolean) {
  if (verb === 'delete' && ids.length > 0) {
    for (const id of ids) forgetCapture(ctx, id);
    return json ? JSON.stringify({ deleted: ids }) : `Deleted: ${ids.join(', ')}`;
  }
  if (verb !== 'list' || ids.length > 0) {
    throw new TracewrightError(
      'INVALID_PARAMS',
      'captures lists what is kept, or deletes some of it.',
      'Choose: tracewright captures list, or tracewright captures delete ID',
    );
  }
  const { data, summary } = listCaptures(ctx, { limit: most_rows, offset: 0 });
  if (json) return JSON.stringify(data);
  const rows = data.captures.map(({ id, title, bytes, created_at }) => ({
    id,
    title,
    bytes,
    created_at,
  }));
  const table = rows.length === 0 ? [] : renderTable(rows, widthOf(process.stdout), ownStyle());
  return [...summary, ...table].join('\n');
}
