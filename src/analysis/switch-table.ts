import type { SwitchCounts } from '../../parsers/collection/collection.ts';

export type SwitchRow = { tgid: number; switches_from: number; switches_to: number };

export type SwitchTable = Readonly<{
  /** In order of CPU; only CPUs with a switch. */
  per_cpu: readonly Readonly<{ cpu: number; switches: number }>[];
  /** By process id; only processes with a switch. */
  processes: ReadonlyMap<number, SwitchRow>;
  context_switches: number;
  /**
   * Switches whose process is not known: because a table was full, because a thread that is new to us
   * still runs, or because the tables were read a moment after each other.
   */
  unattributed: Readonly<{ from: number; to: number }>;
}>;

/** What was counted between two prints of the same tracer. */
export function switchTable(before: SwitchCounts | null, after: SwitchCounts): SwitchTable {
  const per_cpu = [...grown(before?.per_cpu, after.per_cpu)]
    .map(([cpu, switches]) => ({ cpu: Number(cpu), switches }))
    .sort((a, b) => a.cpu - b.cpu);
  const processes = new Map<number, SwitchRow>();
  const row = (tgid: number): SwitchRow => {
    const known = processes.get(tgid);
    if (known) return known;
    const made = { tgid, switches_from: 0, switches_to: 0 };
    processes.set(tgid, made);
    return made;
  };

  const from = grown(before?.from, after.from);
  for (const [key, count] of from) row(processOf(key)).switches_from += count;
  const owners = threadOwners(after.from);
  for (const [key, count] of grown(before?.to, after.to)) {
    if (owners === null) row(Number(key)).switches_to += count;
    else attribute(owners.get(key) ?? [], from, count, row);
  }

  const context_switches = sum(per_cpu.map(({ switches }) => switches));
  const rows = [...processes.values()];
  const missing = (counted: readonly number[]): number =>
    Math.max(0, context_switches - sum(counted));
  return {
    per_cpu,
    processes,
    context_switches,
    unattributed: {
      from: missing(rows.map(({ switches_from }) => switches_from)),
      to: missing(rows.map(({ switches_to }) => switches_to)),
    },
  };
}

/** Keys whose count grew, and by how much. */
function grown(
  before: ReadonlyMap<string, number> | undefined,
  after: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const growth = [...after].map(([key, count]): [string, number] => [
    key,
    count - (before?.get(key) ?? 0),
  ]);
  return new Map(growth.filter(([, count]) => count > 0));
}

/** Keys of `from` by thread id; null where it has none. A thread id can be used again. */
function threadOwners(
  from: ReadonlyMap<string, number>,
): ReadonlyMap<string, readonly string[]> | null {
  const owners = new Map<string, string[]>();
  for (const key of from.keys()) {
    const comma = key.indexOf(',');
    if (comma < 0) return null;
    const tid = key.slice(comma + 1);
    const known = owners.get(tid);
    if (known) known.push(key);
    else owners.set(tid, [key]);
  }
  return owners;
}

/**
 * Counts switches to a thread id for its process. Where the id was used again, each earlier thread
 * was switched to as often as away from, since it ended; what is left is the last one's.
 */
function attribute(
  owners: readonly string[],
  from: ReadonlyMap<string, number>,
  count: number,
  row: (tgid: number) => SwitchRow,
): void {
  let left = count;
  for (const [index, owner] of owners.entries()) {
    const isLast = index === owners.length - 1;
    const share = isLast ? left : Math.min(left, from.get(owner) ?? 0);
    if (share > 0) row(processOf(owner)).switches_to += share;
    left -= share;
  }
}

/** The key "7867,7871" is of process 7867. */
const processOf = (key: string): number => Number.parseInt(key, 10);

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
