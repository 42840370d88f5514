import {
  bpftoolRows,
  type Holder,
  holdersOf,
  numberOf,
  type Row,
  textOf,
  typeOf,
  u64Of,
} from '../bpftool-rows.ts';

export type BpfLink = Readonly<{
  id: number;
  type: string;
  prog_id: number | null;
  /** Of a struct_ops link: the map that holds the operations. */
  map_id: number | null;
  /** What it is attached to, in words, where bpftool says. */
  target: string | null;
  /** Who has a descriptor of it; null where nobody has, or where this bpftool does not tell. */
  pids: readonly Holder[] | null;
}>;

export type BpfLinks = Readonly<{ links: readonly BpfLink[]; errors: readonly string[] }>;

/**
 * `bpftool -j link show` (tools/bpf/bpftool/link.c):
 *
 *     [{"id":89,"type":"raw_tracepoint","prog_id":2061,"tp_name":"sched_switch"},
 *      {"id":90,"type":"cgroup","prog_id":2062,"cgroup_id":1,"attach_type":"cgroup_inet_egress"}]
 *
 * Which fields tell the target depends on the type. bpftool 7.1 says nothing of perf_event, xdp and
 * struct_ops links; 7.3 and later name their event, device or map. Rows without an id are skipped.
 */
export function parseBpftoolLink(text: string): BpfLinks {
  const { rows, errors } = bpftoolRows(text);
  const links = rows.flatMap((row) => {
    const id = numberOf(row, 'id');
    if (id === null) return [];
    const prog_id = numberOf(row, 'prog_id');
    const map_id = numberOf(row, 'map_id');
    const pids = holdersOf(row);
    return [{ id, type: typeOf(row), prog_id, map_id, target: targetOf(row), pids }];
  });
  return { links, errors };
}

/** The fields in which bpftool names what a link is attached to; the most telling come first. */
const targetFields = [
  'tp_name',
  'tracepoint',
  'func',
  'event_config',
  'target_name',
  'devname',
  'attach_type',
] as const;

function targetOf(row: Row): string | null {
  const file = textOf(row, 'file');
  if (file !== null) return `${file}+${u64Of(row, 'offset') ?? '?'}`;
  const functions = numberOf(row, 'func_cnt');
  if (functions !== null) return `${functions} functions`;
  const field = targetFields.find((name) => textOf(row, name) !== null);
  const target = field === undefined ? null : textOf(row, field);
  const cgroup = u64Of(row, 'cgroup_id');
  return cgroup === null ? target : `${target ?? 'cgroup'} of cgroup ${cgroup}`;
}
