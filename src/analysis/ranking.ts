/** Rows put together by a key, those with the largest sum first. */
export function groupBy<T, K extends string>(
  rows: readonly T[],
  key: (row: T) => K,
): readonly Readonly<{ key: K; rows: readonly T[] }>[] {
  const groups = new Map<K, T[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group) group.push(row);
    else groups.set(key(row), [row]);
  }
  return [...groups]
    .map(([name, each]) => ({ key: name, rows: each }))
    .sort((a, b) => b.rows.length - a.rows.length);
}

/** How often each key occurs, most frequent first, as an object of at most so many. */
export function countBy<T>(
  rows: readonly T[],
  key: (row: T) => string,
  most: number,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    groupBy(rows, key)
      .slice(0, most)
      .map(({ key: name, rows: each }) => [name, each.length]),
  );
}

/** A percentile of exact values: the smallest that so large a share of them does not exceed. */
export function exactPercentile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}
