import {
  type BpftraceOutput,
  readBpftraceOutput,
  type TraceHealth,
} from '../bpftrace-json/bpftrace-output.ts';
import { untrusted } from '../untrusted.ts';

/** A lookup of a name that ended. `result` 0 worked; else an error of the resolver. */
export type NameLookup = Readonly<{
  /** CLOCK_MONOTONIC; null where the tracer tells the time of day. */
  at_ns: number | null;
  pid: number;
  comm: string;
  took_ns: number;
  /** Null where the tracer does not tell it. */
  result: number | null;
  host: string;
}>;

/** A lookup that had no answer yet when the window ended. */
export type OpenLookup = Readonly<{
  pid: number;
  comm: string;
  waited_ns: number;
  /** Empty where it could not be read from the memory of the program. */
  host: string;
}>;

export type GethostlatencyOutput = Readonly<{
  health: TraceHealth;
  /** In the order in which they ended: those of several CPUs are printed in any. */
  lookups: readonly NameLookup[];
  /**
   * The longest wait first. Null where the program did not tell when it ended, or lines were lost: the
   * end of a lookup may be among them.
   */
  unanswered: readonly OpenLookup[] | null;
}>;

const row = /^(\d{1,20}) (\d{1,20}) (\d{1,20}) (-?\d{1,20}) (.*?)\|(.*)$/s;
const begin = /^B (\d{1,20}) (\d{1,20}) (.*?)\|(.*)$/s;

/**
 * What scripts/bpftrace/gethostlatency.bt prints.
 *
 *     {"type": "printf", "data": "B 16417441396893 24098 python3|no-such-name.invalid"}
 *     {"type": "printf", "data": "16417442011348 24098 614455 -2 python3|no-such-name.invalid"}
 */
export function parseGethostlatency(text: string): GethostlatencyOutput {
  const output = readBpftraceOutput(text);
  const lookups = output.printed.flatMap((line): NameLookup[] => {
    const [, at, pid, took, result, comm, host] = row.exec(line) ?? [];
    if (host === undefined) return [];
    return [
      {
        at_ns: Number(at),
        pid: Number(pid),
        comm: untrusted(comm ?? '', 64),
        took_ns: Number(took),
        result: Number(result),
        host: untrusted(host, 256),
      },
    ];
  });
  lookups.sort((one, other) => (one.at_ns ?? 0) - (other.at_ns ?? 0));
  return { health: output.health, lookups, unanswered: unanswered(output) };
}

/** Those that began and did not end: a lookup began at its end less its time. */
function unanswered(output: BpftraceOutput): readonly OpenLookup[] | null {
  const until_ns = output.map('@until').get('');
  if (until_ns === undefined || output.health.lost_events > 0) return null;
  const ended = new Set<string>();
  for (const line of output.printed) {
    const [, at, pid, took] = row.exec(line) ?? [];
    // A double does not hold each nanosecond after 104 days.
    if (at && took) ended.add(`${BigInt(at) - BigInt(took)} ${pid}`);
  }
  return output.printed
    .flatMap((line): OpenLookup[] => {
      const [, at, pid, comm, host] = begin.exec(line) ?? [];
      if (host === undefined || ended.has(`${at} ${pid}`)) return [];
      return [
        {
          pid: Number(pid),
          comm: untrusted(comm ?? '', 64),
          waited_ns: Math.max(0, until_ns - Number(at)),
          host: untrusted(host, 256),
        },
      ];
    })
    .sort((a, b) => b.waited_ns - a.waited_ns);
}

const tableRow = /^\d\d:\d\d:\d\d +(\d{1,20}) +(\S.{0,15}?) +(\d{1,12}\.\d+) +(\S.*)$/;

/**
 * The table of `gethostlatency` of libbpf-tools and BCC 0.26:
 *
 *     TIME     PID     COMM             LATms      HOST
 *     00:03:00 3773    python3          0.434      no-such-host.invalid
 */
export function parseGethostlatencyTable(text: string): readonly NameLookup[] {
  return text.split('\n').flatMap((line): NameLookup[] => {
    const [, pid, comm, ms, host] = tableRow.exec(line) ?? [];
    if (host === undefined) return [];
    return [
      {
        at_ns: null,
        pid: Number(pid),
        comm: untrusted(comm ?? '', 64),
        took_ns: Math.round(Number(ms) * 1e6),
        result: null,
        host: untrusted(host, 256),
      },
    ];
  });
}
