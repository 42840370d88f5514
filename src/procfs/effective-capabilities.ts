import type { HostFiles } from './host-files.ts';

/** Numbers of <linux/capability.h>; the last two came with Linux 5.8. */
const bits = { sys_admin: 21n, perfmon: 38n, bpf: 39n } as const;

export type Capability = keyof typeof bits;

/** Whether this process has a capability now; null where /proc/self/status does not tell. */
export function hasCapability(files: HostFiles, capability: Capability): boolean | null {
  const text = files.text('/proc/self/status') ?? '';
  const effective = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(text)?.[1];
  if (effective === undefined) return null;
  return ((BigInt(`0x${effective}`) >> bits[capability]) & 1n) === 1n;
}
