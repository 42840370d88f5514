import { programs } from '../../allowlist/programs.ts';
import type { Context } from '../context.ts';
import { programVersion } from './program-versions.ts';

/** Whether the bpftrace of this host is 0.`minor` or later. False where it does not say. */
export async function bpftraceHas(ctx: Context, minor: number): Promise<boolean> {
  const { version } = await programVersion(programs.bpftrace, ctx);
  const [major = 0, found = 0] = (version ?? '').split('.').map(Number);
  return major > 0 || found >= minor;
}

/** 0.21 renamed kfunc to fentry, which the provider is called in the kernel. */
export async function fentryProvider(ctx: Context): Promise<'fentry' | 'kfunc'> {
  return (await bpftraceHas(ctx, 21)) ? 'fentry' : 'kfunc';
}
