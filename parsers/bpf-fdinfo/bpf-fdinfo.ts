/** What the descriptor of a BPF program, map or link tells. */
export type BpfFdInfo = Readonly<{
  prog_id: number | null;
  verified_insns: number | null;
  /** Of a map its own id, of a struct_ops link that of the map with the operations. */
  map_id: number | null;
  /** BPF_MAP_TYPE_* as a number. */
  map_type: number | null;
  link_type: string | null;
}>;

/**
 * `/proc/<pid>/fdinfo/<fd>` of a `bpf-prog`, `bpf-map` or `bpf_link` (kernel/bpf/syscall.c):
 *
 *     prog_id:	2069
 *     verified_insns:	34
 *
 * verified_insns is the number of instructions that the verifier walked, more than the program has
 * where it loops; since 5.16, and not in links. A struct_ops link names its map since 6.4, and no
 * program. Other lines are skipped.
 */
export function parseBpfFdInfo(text: string): BpfFdInfo {
  return {
    prog_id: field(text, 'prog_id'),
    verified_insns: field(text, 'verified_insns'),
    map_id: field(text, 'map_id'),
    map_type: field(text, 'map_type'),
    link_type: /^link_type:\t([a-z_]{1,30})$/m.exec(text)?.[1] ?? null,
  };
}

function field(text: string, name: string): number | null {
  const [, value] = new RegExp(`^${name}:\\t(\\d{1,10})$`, 'm').exec(text) ?? [];
  return value === undefined ? null : Number(value);
}
