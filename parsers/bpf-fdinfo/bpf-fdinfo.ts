/** What the descriptor of a BPF program or link tells. */
export type BpfFdInfo = Readonly<{ prog_id: number | null; verified_insns: number | null }>;

/**
 * `/proc/<pid>/fdinfo/<fd>` of a `bpf-prog` or `bpf_link` (kernel/bpf/syscall.c):
 *
 *     prog_id:	2069
 *     verified_insns:	34
 *
 * verified_insns is the number of instructions that the verifier walked, more than the program has
 * where it loops; since 5.16, and not in links. Other lines are skipped.
 */
export function parseBpfFdInfo(text: string): BpfFdInfo {
  return { prog_id: field(text, 'prog_id'), verified_insns: field(text, 'verified_insns') };
}

function field(text: string, name: string): number | null {
  const [, value] = new RegExp(`^${name}:\\t(\\d{1,10})$`, 'm').exec(text) ?? [];
  return value === undefined ? null : Number(value);
}
