import { bpftoolRows, numberOf, textOf, typeOf } from '../bpftool-rows.ts';

export type BpfMap = Readonly<{
  id: number;
  type: string;
  name: string | null;
  bytes_memlock: number | null;
  max_entries: number | null;
}>;

export type BpfMaps = Readonly<{ maps: readonly BpfMap[]; errors: readonly string[] }>;

/**
 * `bpftool -j map show` (tools/bpf/bpftool/map.c):
 *
 *     [{"id":25,"type":"percpu_array","name":"AT_","flags":0,"bytes_key":4,"bytes_value":8,
 *       "max_entries":1,"bytes_memlock":336,"frozen":0}]
 *
 * bytes_memlock is what the map takes of kernel memory since 6.4, an estimate before. Rows without
 * an id are skipped.
 */
export function parseBpftoolMap(text: string): BpfMaps {
  const { rows, errors } = bpftoolRows(text);
  const maps = rows.flatMap((row) => {
    const id = numberOf(row, 'id');
    if (id === null) return [];
    const bytes_memlock = numberOf(row, 'bytes_memlock');
    const max_entries = numberOf(row, 'max_entries');
    return [{ id, type: typeOf(row), name: textOf(row, 'name'), bytes_memlock, max_entries }];
  });
  return { maps, errors };
}
