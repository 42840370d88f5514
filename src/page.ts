/** Room for the rows of one answer: with its other fields it stays below 10,000 tokens of 4 bytes. */
export const row_budget_bytes = 30_000;

export type Page<T> = Readonly<{
  rows: readonly T[];
  total: number;
  /** Offset of the first row that was left out, or null where none was. */
  next_offset: number | null;
}>;

/** At most `limit` rows from `offset` on, and no more than fit into the byte budget. */
export function page<T>(
  all: readonly T[],
  { limit, offset }: Readonly<{ limit: number; offset: number }>,
  budget_bytes = row_budget_bytes,
): Page<T> {
  const rows: T[] = [];
  let bytes = 0;
  for (const row of all.slice(offset, offset + limit)) {
    bytes += Buffer.byteLength(JSON.stringify(row)) + 1;
    if (bytes > budget_bytes && rows.length > 0) break;
    rows.push(row);
  }
  const end = offset + rows.length;
  return { rows, total: all.length, next_offset: end < all.length ? end : null };
}

/** How a reading says that rows were left out. Empty where all are there. */
export function cut(
  shown: Page<unknown>,
  howToGetTheRest: string,
): { truncated?: boolean; total?: number; next?: string } {
  if (shown.next_offset === null) return {};
  return { truncated: true, total: shown.total, next: howToGetTheRest };
}
