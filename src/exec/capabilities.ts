import { readFileSync } from 'node:fs';

/** Numbers of <linux/capability.h>. */
const bits = { sys_admin: 21n } as const;

/** Whether this process has a capability now. */
export function mayDo(capability: keyof typeof bits): boolean {
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> bits[capability]) & 1n) === 1n;
}
