import type { Context } from '../context.ts';

/** Ids of the processes that are there now, as text, for completion while someone types. */
export function processIds(ctx: Context): readonly string[] {
  return (ctx.files.list('/proc') ?? []).filter((name) => /^[1-9]\d*$/.test(name));
}
