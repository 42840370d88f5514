/** Half up, to so many decimals. */
export function round(value: number, decimals = 1): number {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
}

/** By how much a counter grew. Null where either value is missing, or where it started anew. */
export function growth(before: number | null | undefined, after: number | null | undefined) {
  if (before == null || after == null || after < before) return null;
  return after - before;
}

const wrap_32 = 2 ** 32;

/** The same of a counter of 32 bits: one that went back from near the top has gone round. */
export function growth32(before: number | null | undefined, after: number | null | undefined) {
  if (before == null || after == null) return null;
  if (after >= before) return after - before;
  return before > wrap_32 / 2 && after < wrap_32 / 2 ? after + wrap_32 - before : null;
}

/** A count over a window as a rate, to one decimal. */
export function perSecond(count: number | null, window_ms: number): number | null {
  return count === null || window_ms <= 0 ? null : round((count * 1000) / window_ms);
}

/** A part of a whole in percent, to one decimal. Null where the whole is nothing. */
export function percent(part: number | null, whole: number): number | null {
  return part === null || whole <= 0 ? null : round((part * 100) / whole);
}

/** Sum of what is known; null where nothing is. */
export function sumKnown(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value) => value != null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

/** Sum; null where one of them is not known. */
export function sumOfAll(values: readonly (number | null)[]): number | null {
  return values.reduce((sum, value) => (sum === null || value === null ? null : sum + value), 0);
}

/** Mean of what is known, to one decimal; null where nothing is. */
export function meanKnown(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value) => value != null);
  const sum = sumKnown(known);
  return sum === null ? null : round(sum / known.length);
}
