import { bpftoolRows, isRow, numberOf } from '../bpftool-rows.ts';

/** Which programs implement the operations of a struct_ops map. */
export type StructOpsPrograms = Readonly<{ map_id: number; prog_ids: readonly number[] }>;

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
      const ids = [...JSON.stringify(row).matchAll(/\/prog_id:(\d{1,10})"/g)];
      maps.push({ map_id, prog_ids: ids.map(([, id]) => Number(id)) });
      map_id = null;
    }
  }
  return maps;
}
