/** Numbers that JSON cannot hold, by where they stand. */
export function unfit(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return Number.isFinite(value) ? [] : [`${path} is ${value}`];
  if (typeof value !== 'object' || value === null) return [];
  const entries = value instanceof Map ? value : Object.entries(value);
  const found: string[] = [];
  for (const [key, each] of entries) {
    if (typeof each === 'number' && Number.isFinite(each)) continue;
    found.push(...unfit(each, `${path}.${String(key)}`));
  }
  return found;
}
