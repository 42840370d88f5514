import {
  type BpftraceRecord,
  type Bucket,
  parseBpftraceLine,
  type Stats,
} from './bpftrace-json.ts';

type ByKey<T> = ReadonlyMap<string, T>;

/** What whoever uses the figures has to know of how they were taken. */
export type TraceHealth = Readonly<{
  /** Time in which all probes counted; null where the program was ended before. */
  window_ns: number | null;
  /** Events that bpftrace could not take from the kernel in time. */
  lost_events: number;
  /** Updates that found no room in a map; told since 0.19. */
  refused_updates: number;
  /** Entries of the longest map: at the limit, some are missing. */
  longest_map: number;
}>;

/** All that a program of scripts/bpftrace/ printed. A map that it did not print is empty. */
export type BpftraceOutput = Readonly<{
  health: TraceHealth;
  map(name: string): ByKey<number>;
  hist(name: string): ByKey<readonly Bucket[]>;
  stats(name: string): ByKey<Stats>;
  /** A map whose values are text: stacks, names. */
  texts(name: string): ByKey<string>;
  /** What printf() wrote, in its order. */
  printed: readonly string[];
}>;

const printed_start = '{"type": "printf"';
/** E2BIG and ENOMEM; EEXIST says that two CPUs met at a new key, and one count is missing. */
const refused = /^\{"type": "helper_error".*"map_update_elem", "retcode": -(?:7|12),/;

/**
 * Reads the whole output of `bpftrace -f json` (see parseBpftraceLine for its lines). A torn last
 * line is left out. Programs of this package print "began" and keep the window in @from and @until.
 */
export function readBpftraceOutput(text: string): BpftraceOutput {
  const maps = new Map<string, ByKey<number>>();
  const hists = new Map<string, ByKey<readonly Bucket[]>>();
  const stats = new Map<string, ByKey<Stats>>();
  const texts = new Map<string, ByKey<string>>();
  const printed: string[] = [];
  let lost_events = 0;
  let refused_updates = 0;

  const take = (record: BpftraceRecord, line: string): void => {
    if (record.type === 'map') {
      if (holdsText(record.values)) texts.set(record.name, textsOf(line));
      else maps.set(record.name, numbersOf(record.values));
    } else if (record.type === 'hist') hists.set(record.name, record.values);
    else if (record.type === 'stats') stats.set(record.name, record.values);
    else if (record.type === 'lost_events') lost_events += record.events;
  };

  for (const line of text.split('\n')) {
    if (line.startsWith(printed_start)) {
      const words = printedText(line);
      if (words !== null && words !== 'began') printed.push(words);
      continue;
    }
    if (refused.test(line)) refused_updates += 1;
    const record = parseBpftraceLine(line);
    if (record) take(record, line);
  }
  const from = maps.get('@from')?.get('');
  const until = maps.get('@until')?.get('');
  const health = {
    window_ns: from === undefined || until === undefined ? null : until - from,
    lost_events,
    refused_updates,
    longest_map: Math.max(...lengths(maps), ...lengths(stats), ...bucketCounts(hists)),
  };
  return {
    health,
    map: (name) => maps.get(name) ?? new Map(),
    hist: (name) => hists.get(name) ?? new Map(),
    stats: (name) => stats.get(name) ?? new Map(),
    texts: (name) => texts.get(name) ?? new Map(),
    printed,
  };
}

const numbers = /^(?:-?\d{1,15}(?:,-?\d{1,15})*)?$/;

/** The same without entries whose keys are no numbers: torn, or of another program. */
export function withNumberKeys(output: BpftraceOutput): BpftraceOutput {
  const only = <T>(byKey: ByKey<T>): ByKey<T> =>
    new Map([...byKey].filter(([key]) => numbers.test(key)));
  return {
    ...output,
    map: (name) => only(output.map(name)),
    hist: (name) => only(output.hist(name)),
    stats: (name) => only(output.stats(name)),
  };
}

const lengths = (maps: ReadonlyMap<string, ByKey<unknown>>): readonly number[] => [
  0,
  ...[...maps.values()].map(({ size }) => size),
];

/** Each range of a histogram is an entry of its own. */
const bucketCounts = (hists: ReadonlyMap<string, ByKey<readonly Bucket[]>>): readonly number[] =>
  [...hists.values()].map((byKey) =>
    [...byKey.values()].reduce((sum, each) => sum + each.length, 0),
  );

/** parseBpftraceLine makes numbers of all values: none of a stack. */
function holdsText(values: ByKey<number>): boolean {
  const [first] = values.values();
  return first !== undefined && Number.isNaN(first);
}

/** One value that is none among numbers was torn on its way. */
export const numbersOf = (values: ByKey<number>): ByKey<number> =>
  new Map([...values].filter(([, value]) => !Number.isNaN(value)));

function textsOf(line: string): ByKey<string> {
  const { data } = JSON.parse(line);
  const [byKey] = Object.values(data);
  return new Map(Object.entries(Object(byKey)).map(([key, value]) => [key, String(value)]));
}

function printedText(line: string): string | null {
  try {
    const { data } = JSON.parse(line);
    return typeof data === 'string' ? data : null;
  } catch {
    return null;
  }
}
