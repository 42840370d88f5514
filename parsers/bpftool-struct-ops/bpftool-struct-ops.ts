import { bpftoolRows, numberOf, textOf } from '../bpftool-rows.ts';

export type StructOps = Readonly<{
  /** Of the map that holds the operations. */
  map_id: number;
  name: string | null;
  /** The kernel structure that is implemented, such as `sched_ext_ops`. */
  kernel_struct_ops: string | null;
}>;

export type StructOpsList = Readonly<{
  struct_ops: readonly StructOps[];
  errors: readonly string[];
}>;

/**
 * `bpftool -j struct_ops show` (tools/bpf/bpftool/struct_ops.c):
 *
 *     [{"id":12,"name":"min_ops","kernel_struct_ops":"sched_ext_ops"}]
 *
 * The name is that of the map, cut to 15 characters by the kernel, not that in the structure.
 */
export function parseBpftoolStructOps(text: string): StructOpsList {
  const { rows, errors } = bpftoolRows(text);
  const struct_ops = rows.flatMap((row) => {
    const map_id = numberOf(row, 'id');
    if (map_id === null) return [];
    return [
      { map_id, name: textOf(row, 'name'), kernel_struct_ops: textOf(row, 'kernel_struct_ops') },
    ];
  });
  return { struct_ops, errors };
}
