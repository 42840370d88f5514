import { bpftoolRows, numberOf, type Row, textOf, u64Of } from '../bpftool-rows.ts';

/** A program attached through a perf event, and the process that holds the event. */
export type BpfPerfEvent = Readonly<{
  prog_id: number;
  pid: number;
  type: string;
  target: string | null;
}>;

export type BpfPerfEvents = Readonly<{
  events: readonly BpfPerfEvent[];
  errors: readonly string[];
}>;

/**
 * `bpftool -j perf show` (tools/bpf/bpftool/perf.c): tracepoints, kprobes and uprobes that hang on
 * a perf event and not on a link, as bpftrace attaches them.
 *
 *     [{"pid":19397,"fd":11,"prog_id":2069,"fd_type":"tracepoint","tracepoint":"sched_switch"},
 *      {"pid":19397,"fd":16,"prog_id":2071,"fd_type":"uprobe","filename":"/bin/bash","offset":814112}]
 *
 * A kprobe has `func` and `offset`, or `addr` alone. Clock and counter events are not listed.
 */
export function parseBpftoolPerf(text: string): BpfPerfEvents {
  const { rows, errors } = bpftoolRows(text);
  const events = rows.flatMap((row) => {
    const prog_id = numberOf(row, 'prog_id');
    const pid = numberOf(row, 'pid');
    if (prog_id === null || pid === null) return [];
    return [{ prog_id, pid, type: textOf(row, 'fd_type') ?? 'unknown', target: targetOf(row) }];
  });
  return { events, errors };
}

function targetOf(row: Row): string | null {
  const file = textOf(row, 'filename');
  if (file !== null) return `${file}+${u64Of(row, 'offset') ?? '?'}`;
  return textOf(row, 'tracepoint') ?? textOf(row, 'func');
}
