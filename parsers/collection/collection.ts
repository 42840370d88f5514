import { parseBpftraceLine } from '../bpftrace-json/bpftrace-json.ts';
import { numbersOf } from '../bpftrace-json/bpftrace-output.ts';

/** Context switches counted since the probes were attached. */
export type SwitchCounts = Readonly<{
  /** By CPU. */
  per_cpu: ReadonlyMap<string, number>;
  /** By process id, or by "process id,thread id". */
  from: ReadonlyMap<string, number>;
  /** By process id, or by thread id where `from` has both. */
  to: ReadonlyMap<string, number>;
  /** The name that a process had when it ended, by process id. As the kernel told it: untrusted. */
  exited: ReadonlyMap<string, string>;
}>;

/**
 * One print of scripts/bpftrace/collection.bt or collection-tracepoint.bt with `-f json`; of several,
 * the last. A map that is not printed is empty.
 *
 *     {"type": "map", "data": {"@from": {"18,18": 1, "7867,7871": 12}}}
 *     {"type": "map", "data": {"@exited": {"7817": "bpftrace"}}}
 */
export function parseCollection(text: string): SwitchCounts {
  const counts = new Map<string, ReadonlyMap<string, number>>();
  let exited: SwitchCounts['exited'] = new Map();
  for (const line of text.split('\n')) {
    if (line.startsWith(names_start)) {
      exited = exitedNames(line) ?? exited;
      continue;
    }
    const record = parseBpftraceLine(line);
    if (record?.type === 'map') counts.set(record.name, numbersOf(record.values));
  }
  const of = (name: string): ReadonlyMap<string, number> => counts.get(name) ?? new Map();
  return { per_cpu: of('@per_cpu'), from: of('@from'), to: of('@to'), exited };
}

const names_start = '{"type": "map", "data": {"@exited": ';

/** The one map of texts; parseBpftraceLine gives numbers only. Null for a torn line. */
function exitedNames(line: string): ReadonlyMap<string, string> | null {
  try {
    const record: Readonly<{ data: Readonly<{ '@exited': object }> }> = JSON.parse(line);
    const entries = Object.entries(record.data['@exited']);
    return new Map(entries.map(([tgid, name]) => [tgid, String(name)]));
  } catch {
    return null;
  }
}

/** The same as plain objects, for a file that came from another machine. */
export function parseCollectionFile(text: string) {
  const { per_cpu, from, to, exited } = parseCollection(text);
  return {
    per_cpu: Object.fromEntries(per_cpu),
    from: Object.fromEntries(from),
    to: Object.fromEntries(to),
    exited: Object.fromEntries(exited),
  };
}
