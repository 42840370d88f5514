/** A bucket of a histogram: values from `min` to `max`, both included. */
export type Bucket = Readonly<{ min: number; max: number; count: number }>;
export type Stats = Readonly<{ count: number; total: number }>;

/**
 * One line of `bpftrace -f json`. Keys of maps are text: several keys are joined by commas, and
 * unsigned 64-bit ones are printed as signed.
 */
export type BpftraceRecord =
  | Readonly<{ type: 'attached_probes'; probes: number }>
  | Readonly<{ type: 'map'; name: string; values: ReadonlyMap<string, number> }>
  | Readonly<{ type: 'hist'; name: string; values: ReadonlyMap<string, readonly Bucket[]> }>
  | Readonly<{ type: 'stats'; name: string; values: ReadonlyMap<string, Stats> }>
  | Readonly<{ type: 'lost_events'; events: number }>;

/** A map without keys has its value under this one. */
const no_key = '';

/**
 * Parses one line of what `bpftrace -f json` prints (src/output.cpp; checked with 0.17 and 0.23):
 *
 *     {"type": "attached_probes", "data": {"probes": 4}}
 *     {"type": "map", "data": {"@inserts": {"7": 12, "-9223372036854775806": 3}}}
 *     {"type": "hist", "data": {"@wait": {"7": [{"min": 1024, "max": 2047, "count": 2}]}}}
 *     {"type": "stats", "data": {"@depth": {"7": {"count": 2, "average": 1, "total": 2}}}}
 *
 * Null for a blank line (0.17 puts one between records), for a line that is not JSON, for records of
 * other kinds, and for an empty map, which is printed as `{"@x": {}}` or not at all. Numbers that a
 * double cannot hold come as text. NaN stands for text in a map; an entry of a histogram or of
 * statistics whose figures are no numbers is left out.
 */
export function parseBpftraceLine(line: string): BpftraceRecord | null {
  if (!line.startsWith('{')) return null;
  const record = parseJson(line);
  if (!isObject(record) || !isObject(record['data'])) return null;
  const { type, data } = record;
  if (type === 'attached_probes') return counted(data['probes'], (probes) => ({ type, probes }));
  if (type === 'lost_events') return counted(data['events'], (events) => ({ type, events }));
  const [entry] = Object.entries(data);
  if (!entry) return null;
  const [name, value] = entry;
  if (type === 'map') return { type, name, values: keyed(value, number) };
  if (type === 'stats') return { type, name, values: keyed(value, stats) };
  if (type === 'hist') return { type, name, values: keyed(value, buckets) };
  return null;
}

function counted<T>(value: unknown, record: (count: number) => T): T | null {
  const count = number(value);
  return Number.isNaN(count) ? null : record(count);
}

function keyed<T>(value: unknown, read: (value: unknown) => T | null): ReadonlyMap<string, T> {
  const isKeyed = isObject(value) && !('count' in value && 'total' in value);
  const entries = isKeyed ? Object.entries(value) : [[no_key, value] as const];
  const read_entries = new Map<string, T>();
  for (const [key, each] of entries) {
    const figures = read(each);
    if (figures !== null) read_entries.set(key, figures);
  }
  return read_entries;
}

function stats(value: unknown): Stats | null {
  if (!isObject(value)) return null;
  const [count, total] = [number(value['count']), number(value['total'])];
  return Number.isNaN(count + total) ? null : { count, total };
}

/** The lowest bucket has no `min` where it holds negative values, the highest no `max`. */
function buckets(value: unknown): readonly Bucket[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter(isObject)
    .map((bucket) => ({
      min: number(bucket['min'] ?? 0),
      max: number(bucket['max'] ?? Number.MAX_SAFE_INTEGER),
      count: number(bucket['count']),
    }))
    .filter(({ min, max, count }) => !Number.isNaN(min + max + count));
}

/** NaN also for what is beyond a double: it is no figure. */
function number(value: unknown): number {
  const read = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN;
  return Number.isFinite(read) ? read : Number.NaN;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
