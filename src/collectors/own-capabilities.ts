import { parsePidStatus } from '../../parsers/pid-status/pid-status.ts';
import type { Context } from '../context.ts';
import { kernelFacts } from './kernel-facts.ts';

/** Numbers of <linux/capability.h>. */
const bits = { sys_ptrace: 19n, sys_admin: 21n, perfmon: 38n, bpf: 39n } as const;

/** What this process may do, by its capabilities, the settings of the kernel and its helper. */
export type OwnPermissions = Readonly<{
  /** Hexadecimal bits of <linux/capability.h>; null where /proc/self/status tells none. */
  effective_capabilities: string | null;
  /** Profile the whole machine, the kernel included. */
  perf_permitted: boolean;
  perf_scope: 'whole machine' | 'own processes, kernel too' | 'own processes' | 'nothing';
  /** Load tracing programs. */
  bpf_permitted: boolean;
  /** Look into processes of others (descriptors, memory, stacks). */
  ptrace_permitted: boolean;
}>;

export function ownPermissions(ctx: Context): OwnPermissions {
  const effective = ownCapabilities(ctx);
  // Capabilities of another user namespace say nothing about the kernel as a whole.
  const real = initialUserNamespace(ctx);
  const has = (name: keyof typeof bits): boolean =>
    real && effective !== null && ((BigInt(`0x${effective}`) >> bits[name]) & 1n) === 1n;
  const { perf_event_paranoid, lockdown } = kernelFacts(ctx);
  const open = lockdown.value !== 'confidentiality';
  // Root by sudo is root of its own namespace.
  const helped = real && ctx.helper.route() !== null;
  const privileged = helped || has('perfmon') || has('sys_admin');
  const perf_scope = scopeOf(privileged, perf_event_paranoid.value);
  return {
    effective_capabilities: effective,
    perf_permitted: perf_scope === 'whole machine' && open,
    perf_scope,
    bpf_permitted: open && (helped || has('sys_admin') || (has('bpf') && has('perfmon'))),
    ptrace_permitted: has('sys_ptrace'),
  };
}

function ownCapabilities({ files }: Context): string | null {
  const status = files.text('/proc/self/status');
  const hex = status === null ? null : parsePidStatus(status).data.cap_effective;
  return hex !== null && /^[\da-f]+$/i.test(hex) ? hex : null;
}

/** The one user namespace in which every id stands for itself. */
function initialUserNamespace({ files }: Context): boolean {
  const map = files.text('/proc/self/uid_map');
  return map === null || /^\s*0\s+0\s+4294967295\s*$/.test(map);
}

/** Documentation/admin-guide/sysctl/kernel.rst; 3 and 4 are of Debian and Android. */
function scopeOf(privileged: boolean, paranoid: number | null): OwnPermissions['perf_scope'] {
  if (privileged && paranoid !== null) return 'whole machine';
  if (paranoid === null || paranoid > 2) return 'nothing';
  if (paranoid === 2) return 'own processes';
  return paranoid === 1 ? 'own processes, kernel too' : 'whole machine';
}
