import { type Parsed, type ParseWarning, warn } from '../parsed.ts';
import { untrusted } from '../untrusted.ts';

export type PerfCounter = Readonly<{
  /** Null where perf counted for more than one CPU together. */
  cpu: number | null;
  /** As perf prints it, without a modifier such as ":u". */
  event: string;
  /** Null where perf did not count; `problem` then holds its own words. */
  value: number | null;
  problem: string | null;
  /** How long the counter was on, and which share of that it really counted (multiplexing). */
  runtime_ns: number | null;
  running_pct: number | null;
}>;

/**
 * `perf stat -j`, one JSON object per line (tools/perf/util/stat-display.c; since perf 5.19), here
 * from perf 6.1 with `-a -A`:
 *
 *     {"cpu" : "0", "counter-value" : "21.000000", "unit" : "", "event" : "context-switches",
 *      "event-runtime" : 300527805, "pcnt-running" : 100.00, …}
 *
 * perf 6.12 calls it "context-switches [software]". Values are text, with decimals; a counter that did not run says "<not counted>" or
 * "<not supported>" in their place. Lines that are not JSON become warnings; objects without an
 * event (metrics of newer versions) and blank lines are skipped.
 */
export function parsePerfStat(text: string): Parsed<readonly PerfCounter[]> {
  const warnings: ParseWarning[] = [];
  const counters: PerfCounter[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const record = jsonObject(line);
    if (!record) {
      warnings.push(warn(index + 1, 'not a JSON object', line));
      continue;
    }
    const counter = counterOf(record);
    if (counter) counters.push(counter);
  }
  return { data: counters, warnings };
}

function jsonObject(line: string): ReadonlyMap<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : null;
  } catch {
    return null;
  }
}

function counterOf(record: ReadonlyMap<string, unknown>): PerfCounter | null {
  const event = record.get('event');
  const text = record.get('counter-value');
  if (typeof event !== 'string' || typeof text !== 'string') return null;
  const value = finite(text);
  return {
    cpu: finite(record.get('cpu')),
    event: untrusted(event.replace(/(?: \[software\])?(?::[a-zA-Z]+)?$/, ''), 100),
    value,
    problem: value === null ? untrusted(text, 100) : null,
    runtime_ns: finite(record.get('event-runtime')),
    running_pct: finite(record.get('pcnt-running')),
  };
}

function finite(value: unknown): number | null {
  if (typeof value !== 'number' && (typeof value !== 'string' || value === '')) return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
