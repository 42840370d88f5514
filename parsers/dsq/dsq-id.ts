/**
 * Built-in dispatch queues (enum scx_dsq_id_flags, include/linux/sched/ext.h): bit 63 says built-in,
 * bit 62 LOCAL_ON with the CPU in the low half. BYPASS came with 6.19, REJECT and
 * RESCUE with 7.3.
 */
const builtIn: Readonly<Record<string, string>> = {
  '0x8000000000000000': 'INVALID',
  '0x8000000000000001': 'GLOBAL',
  '0x8000000000000002': 'LOCAL',
  '0x8000000000000003': 'BYPASS',
  '0x8000000000000004': 'REJECT',
  '0x8000000000000005': 'RESCUE',
};

export type DsqId = Readonly<{
  /** Hexadecimal: a JSON number would lose its low bits. */
  id: string;
  label: string;
  user: boolean;
}>;

/** A queue id as bpftrace prints it (signed decimal), with its name. */
export function dsqId(printed: string): DsqId {
  const bits = BigInt.asUintN(64, BigInt(printed));
  const id = `0x${bits.toString(16)}`;
  if (bits >> 62n === 3n) return { id, label: `LOCAL_ON:${bits & 0xffffffffn}`, user: false };
  if (bits >> 63n === 1n) return { id, label: builtIn[id] ?? 'built-in', user: false };
  return { id, label: 'user', user: true };
}
