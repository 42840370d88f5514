import { readBpftraceOutput, type TraceHealth } from '../bpftrace-json/bpftrace-output.ts';

export type FileTraffic = Readonly<{ ops: number; bytes: number }>;

export type IolayersOutput = Readonly<{
  health: TraceHealth;
  reads: FileTraffic;
  writes: FileTraffic;
  syncs: number;
  opens: number;
  creates: number;
  unlinks: number;
}>;

/**
 * What scripts/bpftrace/iolayers.bt prints.
 *
 *     {"type": "map", "data": {"@ops": {"3": 1, "2": 44, "1": 1778}}}
 *     {"type": "map", "data": {"@bytes": {"3": 0, "2": 31522400, "1": 33599863}}}
 */
export function parseIolayers(text: string): IolayersOutput {
  const output = readBpftraceOutput(text);
  const of = (name: string, key = ''): number => output.map(name).get(key) ?? 0;
  return {
    health: output.health,
    reads: { ops: of('@ops', '1'), bytes: of('@bytes', '1') },
    writes: { ops: of('@ops', '2'), bytes: of('@bytes', '2') },
    syncs: of('@ops', '3'),
    opens: of('@opens'),
    creates: of('@creates'),
    unlinks: of('@unlinks'),
  };
}
