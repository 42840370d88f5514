import { bpftoolRows, isRow, numberOf, type Row, textOf } from '../bpftool-rows.ts';
import { untrusted } from '../untrusted.ts';

/** Which programs implement the operations of a struct_ops map. */
export type StructOpsPrograms = Readonly<{
  map_id: number;
  /** The kernel structure that is implemented, such as `sched_ext_ops`. */
  kernel_struct_ops: string | null;
  /** The name in the structure: of a scheduler that in root/ops, whole. */
  ops: string | null;
  /** Members of the structure that are programs; the others are left to the kernel. */
  callbacks: readonly Readonly<{ name: string; prog_id: number }>[];
}>;

/**
 * `bpftool -j struct_ops dump` (tools/bpf/bpftool/struct_ops.c): for each map an object with its
 * `bpf_map_info` and one with its value, in which a function is its type, its name and its program:
 *
 *     [{"bpf_map_info":{"type":26,"id":12,"name":"min_ops",…}},
 *      {"bpf_struct_ops_sched_ext_ops":{…"data":{"enqueue":"void (struct task_struct *, u64) min_enqueue/prog_id:31",…}}}]
 *
 * Errors of bpftool give an empty list: which programs belong together is then unknown.
 */
export function parseBpftoolStructOpsDump(text: string): readonly StructOpsPrograms[] {
  const maps: StructOpsPrograms[] = [];
  let map_id: number | null = null;
  for (const row of bpftoolRows(text).rows) {
    const info = row['bpf_map_info'];
    if (isRow(info)) {
      map_id = numberOf(info, 'id');
    } else if (map_id !== null) {
      maps.push({ map_id, ...structureOf(row) });
      map_id = null;
    }
  }
  return maps;
}

const prefix = 'bpf_struct_ops_';

function structureOf(row: Row): Omit<StructOpsPrograms, 'map_id'> {
  const key = Object.keys(row).find((each) => each.startsWith(prefix)) ?? '';
  const value = row[key];
  const data = isRow(value) ? value['data'] : undefined;
  return {
    kernel_struct_ops: key === '' ? null : key.slice(prefix.length),
    ops: isRow(data) ? textOf(data, 'name') : null,
    callbacks: isRow(data) ? callbacksOf(data) : [],
  };
}

function callbacksOf(data: Row): StructOpsPrograms['callbacks'] {
  return Object.entries(data).flatMap(([name, value]) => {
    const [, id] = /\/prog_id:(\d{1,10})$/.exec(typeof value === 'string' ? value : '') ?? [];
    return id === undefined ? [] : [{ name: untrusted(name), prog_id: Number(id) }];
  });
}
