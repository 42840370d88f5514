import { readBpftraceOutput, type TraceHealth } from '../bpftrace-json/bpftrace-output.ts';
import { addDistributions, type Distribution, distributionOf } from '../distribution.ts';
import { untrusted } from '../untrusted.ts';

export type FileOperation = 'read' | 'write' | 'sync';

/** One operation that took at least as long as was asked for. */
export type SlowOperation = Readonly<{
  /** CLOCK_MONOTONIC, at its end. */
  at_ns: number;
  pid: number;
  comm: string;
  operation: FileOperation;
  /** Null where it failed; 0 of a sync. */
  bytes: number | null;
  took_ns: number;
  /** The last part of the path. */
  filename: string;
}>;

export type FileslowOutput = Readonly<{
  health: TraceHealth;
  slow: readonly SlowOperation[];
  /** Of all operations, slow or not. */
  all: Distribution;
  operations: Readonly<Record<FileOperation, Distribution>>;
}>;

const names = { hist: '@took_us', stats: '@took_ns', max: '@max_ns' };
const row = /^(\d{1,20}) (\d{1,20}) ([123]) (-?\d{1,20}) (\d{1,20}) ([^|]*)\|(.*)$/s;
const kinds: readonly FileOperation[] = ['read', 'write', 'sync'];

/**
 * What scripts/bpftrace/fileslow.bt prints.
 *
 *     {"type": "printf", "data": "15941764027702 17245 2 1048576 2342638 dd|ddx"}
 *     {"type": "stats", "data": {"@took_ns": {"1": {"count": 3207, "average": 31778, …}}}}
 */
export function parseFileslow(text: string): FileslowOutput {
  const output = readBpftraceOutput(text);
  const [read, write, sync] = ['1', '2', '3'].map((key) => distributionOf(output, names, key));
  const nothing: Distribution = { buckets: [], count: 0, total_ns: 0, max_ns: 0 };
  const operations = { read: read ?? nothing, write: write ?? nothing, sync: sync ?? nothing };
  const known = Object.values(operations).filter(({ count }) => count > 0);
  return {
    health: output.health,
    slow: output.printed.flatMap(readRow),
    all: known.reduce(addDistributions, nothing),
    operations,
  };
}

function readRow(line: string): SlowOperation[] {
  const [, at, pid, kind, result, took, comm, filename] = row.exec(line) ?? [];
  const operation = kinds[Number(kind) - 1];
  if (filename === undefined || operation === undefined) return [];
  const bytes = Number(result);
  return [
    {
      at_ns: Number(at),
      pid: Number(pid),
      comm: untrusted(comm ?? '', 64),
      operation,
      bytes: bytes < 0 ? null : bytes,
      took_ns: Number(took),
      filename: untrusted(filename, 256),
    },
  ];
}
