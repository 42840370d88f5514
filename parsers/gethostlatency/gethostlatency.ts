import { readBpftraceOutput, type TraceHealth } from '../bpftrace-json/bpftrace-output.ts';
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

export type GethostlatencyOutput = Readonly<{
  health: TraceHealth;
  lookups: readonly NameLookup[];
}>;

const row = /^(\d+) (\d+) (\d+) (-?\d+) (.*?)\|(.*)$/s;

/**
 * What scripts/bpftrace/gethostlatency.bt prints.
 *
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
  return { health: output.health, lookups };
}

const tableRow = /^\d\d:\d\d:\d\d +(\d+) +(\S.{0,15}?) +(\d+\.\d+) +(\S.*)$/;

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
